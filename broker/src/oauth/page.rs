//! The pages that the browser shows at the redirect URI: static, without scripts, nothing from elsewhere.

use crate::config::Tenant;

/// What the browser is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page<'a> {
    /// Somebody is signed in.
    SignedIn {
        /// Their user name.
        user: Option<&'a str>,
    },
    /// The sign-in did not succeed.
    Failed {
        /// Why, in our words.
        reason: &'a str,
    },
    /// A request that is not the awaited one.
    NotOurs,
}

/// The page's HTML.
pub(super) fn render(page: Page<'_>, tenant: &Tenant) -> String {
    let (host, name) = (escape(&tenant.origin().authority()), escape(&tenant.name));
    let (title, text) = match page {
        Page::SignedIn { user } => {
            let user = escape(user.unwrap_or("a user whose name the token does not tell"));
            (
                "Signed in",
                format!(
                    "You are signed in to <b>{name}</b> ({host}) as <b>{user}</b>.<br>Go back to your AI client; if it stopped, tell it to try again. You can close this page."
                ),
            )
        }
        Page::Failed { reason } => (
            "Not signed in",
            format!(
                "The sign-in to <b>{name}</b> ({host}) did not succeed: {}.<br>Ask your AI client to try again, or run <code>aic-broker login</code>.",
                escape(reason)
            ),
        ),
        Page::NotOurs => ("Nothing to see here", "This address only takes the end of a sign-in.".to_owned()),
    };
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:16vh auto;padding:0 1rem}}\
         </style><h1>{title}</h1><p>{text}</p></html>"
    )
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::{Config, resolve};

    #[test]
    fn a_page_names_tenant_and_user_and_loads_nothing() {
        let tenant = resolve(Some("openam-acme-dev.id.forgerock.io"), &Config::default()).unwrap();

        let page = render(Page::SignedIn { user: Some("<img src=//evil>") }, &tenant);

        assert!(page.contains("openam-acme-dev.id.forgerock.io"));
        assert!(page.contains("&lt;img src=//evil&gt;"));
        assert!(!page.contains("<script") && !page.contains("href=") && !page.contains("src=\""));
    }
}
