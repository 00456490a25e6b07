//! Declares the tools about the session itself, which are offered whatever tool sets are chosen.

use super::{Hints, Tool, Toolset};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "getSessionStatus",
        title: "Session status",
        description: "State of the session with the tenant: signed_out, signing_in (with the page to open), \
            signed_in (user, expiry) or expired. Sends nothing.",
        toolset: Toolset::Session,
        scopes: &[],
        hints: Hints::READS_HERE,
        input: closed!([]),
    },
    Tool {
        name: "signIn",
        title: "Sign in",
        description: "Starts a sign-in or joins the running one, and answers at once. Only the user can finish it: \
            pass on the page and code it names, then repeat your call. Seldom needed: a call without a session \
            starts one itself.",
        toolset: Toolset::Session,
        scopes: &[],
        hints: Hints::SETS,
        input: closed!([]),
    },
];
