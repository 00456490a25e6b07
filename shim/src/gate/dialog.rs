//! Decides how the person is told, by what the MCP client can do. Pure.
//!
//! Follows notes of the MCP clients' behaviour: a client may declare dialogs and never show one, so nothing ever waits
//! for an answer alone, and a dialog that nobody answered is not tried again.

use std::time::{Duration, Instant};

use aic_proto::message::{Pending, Shown};

use super::budget;
use crate::words;

/// When a dialog that was handed out (2026-07-28) counts as never shown: people answer sooner or not at all.
const NEVER_SHOWN: Duration = Duration::from_secs(60);

/// What the client of one request can do, whatever its era.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Abilities {
    /// It speaks 2026-07-28: a dialog is a result, and the answer comes with the next request.
    pub(crate) modern: bool,
    /// It shows forms.
    pub(crate) form: bool,
    /// It offers URLs to open.
    pub(crate) url: bool,
    /// This request asked for progress.
    pub(crate) progress: bool,
}

/// What the person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dialog {
    /// To open a URL.
    Url {
        /// The words beside it.
        message: String,
        /// The device page, with the code in it where AM offers that.
        url: String,
    },
    /// To press a button under the words.
    Form {
        /// The words.
        message: String,
    },
}

/// What to do while somebody signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Show a dialog, and wait as long as the call may.
    Ask(Dialog),
    /// Wait so long; nothing means to answer at once.
    Wait(Duration),
}

/// Whether this request may show a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may.
    First,
    /// Another request of this connection shows one.
    Shown,
    /// This request had its dialog.
    Answered,
    /// This client shows none.
    Hidden,
}

/// The dialog for a sign-in: only a device flow needs one, since a browser shows itself.
pub(crate) fn dialog(pending: &Pending, abilities: Abilities) -> Option<Dialog> {
    let Shown::Device { uri, uri_complete, user_code } = &pending.shown else { return None };
    if abilities.url {
        let message = words::url(&pending.tenant, &pending.host, user_code);
        return Some(Dialog::Url { message, url: uri_complete.as_ref().unwrap_or(uri).clone() });
    }
    abilities.form.then(|| Dialog::Form { message: words::form(&pending.tenant, uri, user_code) })
}

/// How long to wait, and whether with a dialog. `left` is what the call may still wait.
pub(crate) fn plan(
    pending: &Pending,
    dialog: Option<Dialog>,
    standing: Standing,
    progress: bool,
    left: Duration,
) -> Plan {
    let briefly = left.min(budget::WITH_PROGRESS_ONLY);
    match (&pending.shown, dialog, standing) {
        (Shown::Browser { opened: true, .. }, ..) => Plan::Wait(left),
        (Shown::Browser { opened: false, .. }, ..) => Plan::Wait(briefly),
        (Shown::Device { .. }, Some(dialog), Standing::First) => Plan::Ask(dialog),
        (Shown::Device { .. }, Some(_), Standing::Shown | Standing::Answered) => Plan::Wait(left),
        (Shown::Device { .. }, ..) if progress => Plan::Wait(briefly),
        (Shown::Device { .. }, ..) => Plan::Wait(Duration::ZERO),
    }
}

/// What is known of the dialogs of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// None is shown.
    Free,
    /// One is shown and raced.
    Showing,
    /// One was handed out as a result.
    HandedOut(Instant),
    /// One was never answered, or dialogs are switched off.
    Hidden,
}

/// Takes the right to show a dialog, where it is free.
pub(crate) fn take(stage: Stage, modern: bool, now: Instant) -> (Stage, Standing) {
    match stage {
        Stage::Free if modern => (Stage::HandedOut(now), Standing::First),
        Stage::Free => (Stage::Showing, Standing::First),
        Stage::Showing => (stage, Standing::Shown),
        Stage::HandedOut(at) if now.saturating_duration_since(at) < NEVER_SHOWN => (stage, Standing::Shown),
        Stage::HandedOut(_) | Stage::Hidden => (Stage::Hidden, Standing::Hidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Duration = Duration::from_secs(40);
    const BRIEFLY: Duration = Duration::from_secs(15);

    fn pending(shown: Shown) -> Pending {
        Pending {
            flow: "f".into(),
            tenant: "acme-dev".into(),
            host: "am.example.com".into(),
            shown,
            expires_at: "2026-01-01T00:05:00Z".into(),
            expires_in: 300,
            note: None,
        }
    }

    fn device(complete: Option<&str>) -> Pending {
        let uri_complete = complete.map(str::to_owned);
        pending(Shown::Device { uri: "https://am.example.com/d".into(), uri_complete, user_code: "ACDE".into() })
    }

    fn browser(opened: bool) -> Pending {
        pending(Shown::Browser { url: "https://am.example.com/a".into(), opened })
    }

    fn abilities(form: bool, url: bool) -> Abilities {
        Abilities { form, url, ..Abilities::default() }
    }

    #[test]
    fn only_a_device_flow_is_asked_about_and_a_url_is_better_than_a_form() {
        let url = |dialog: Option<Dialog>| match dialog {
            Some(Dialog::Url { url, .. }) => url,
            other => format!("{other:?}"),
        };

        assert_eq!(dialog(&browser(true), abilities(true, true)), None);
        assert_eq!(dialog(&device(None), abilities(false, false)), None);
        assert_eq!(url(dialog(&device(None), abilities(true, true))), "https://am.example.com/d");
        assert_eq!(
            url(dialog(&device(Some("https://am.example.com/d?c=A")), abilities(false, true))),
            "https://am.example.com/d?c=A"
        );
        let form = dialog(&device(Some("https://am.example.com/d?c=A")), abilities(true, false));
        assert!(matches!(form, Some(Dialog::Form { message }) if message.contains("ACDE") && !message.contains("?c=")));
    }

    #[test]
    fn the_wait_follows_what_the_person_can_see() {
        use Standing::{Answered, First, Hidden, Shown};
        let (with, without) = (Some(Dialog::Form { message: String::new() }), None);
        let ask = || Plan::Ask(Dialog::Form { message: String::new() });
        let cases = [
            (browser(true), &without, Hidden, false, Plan::Wait(LEFT)),
            (browser(false), &without, Hidden, true, Plan::Wait(BRIEFLY)),
            (device(None), &with, First, false, ask()),
            (device(None), &with, Shown, false, Plan::Wait(LEFT)),
            (device(None), &with, Answered, false, Plan::Wait(LEFT)),
            (device(None), &with, Hidden, true, Plan::Wait(BRIEFLY)),
            (device(None), &with, Hidden, false, Plan::Wait(Duration::ZERO)),
            (device(None), &without, First, true, Plan::Wait(BRIEFLY)),
            (device(None), &without, First, false, Plan::Wait(Duration::ZERO)),
        ];

        for (pending, dialog, standing, progress, wanted) in cases {
            let found = plan(&pending, dialog.clone(), standing, progress, LEFT);
            assert_eq!(found, wanted, "{pending:?} {standing:?} {progress}");
        }
    }

    #[test]
    fn one_dialog_at_a_time_and_none_that_is_never_shown() {
        let now = Instant::now();
        let soon = now + Duration::from_secs(59);
        let late = now + Duration::from_secs(60);
        let cases = [
            (Stage::Free, false, now, Stage::Showing, Standing::First),
            (Stage::Free, true, now, Stage::HandedOut(now), Standing::First),
            (Stage::Showing, false, late, Stage::Showing, Standing::Shown),
            (Stage::HandedOut(now), true, soon, Stage::HandedOut(now), Standing::Shown),
            (Stage::HandedOut(now), true, late, Stage::Hidden, Standing::Hidden),
            (Stage::Hidden, true, now, Stage::Hidden, Standing::Hidden),
            (Stage::Hidden, false, now, Stage::Hidden, Standing::Hidden),
        ];

        for (stage, modern, at, next, standing) in cases {
            assert_eq!(take(stage, modern, at), (next, standing), "{stage:?}");
        }
    }
}
