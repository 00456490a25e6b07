//! Turns what went wrong in a tool into what the caller is told: kind, words, `executed`.

use std::time::Duration;

use aic_proto::refusal::{Executed, Failure, Kind};

use crate::aic::{Fault, Sent};

/// What the requests of a call did.
///
/// Source: the contract's section 6: `unknown` as soon as one write has no answer, `no` for a 4xx.
pub(super) fn executed(sent: &[Sent]) -> Executed {
    let writes = || sent.iter().filter(|sent| sent.writes);
    let unanswered = writes().any(|sent| sent.status.is_none());
    let taken = writes().any(|sent| sent.status.is_some_and(|status| !(400..500).contains(&status)));
    match (unanswered, taken) {
        (true, _) => Executed::Unknown,
        (false, true) => Executed::Yes,
        (false, false) => Executed::No,
    }
}

/// The failure that a fault is told as. `transaction_id` is the one that was sent.
pub(super) fn failure(fault: Fault, sent: &[Sent], transaction_id: &str) -> Failure {
    let executed = executed(sent);
    let message = match executed {
        Executed::Unknown => format!("{fault}. The change may have been made: check before repeating it"),
        Executed::Yes if fault.status().is_some_and(|status| status >= 500) => {
            format!("{fault}. The change may have been made all the same: check before repeating it")
        }
        Executed::Yes | Executed::No => fault.to_string(),
    };
    let transaction_id = told_transaction(&fault).or_else(|| (!sent.is_empty()).then(|| transaction_id.to_owned()));
    Failure { kind: kind(&fault), message, hint: hint(&fault), status: fault.status(), transaction_id, executed }
}

/// The failure of a call that was broken off from our side.
pub(super) fn broken_off(kind: Kind, message: &str, sent: &[Sent], transaction_id: &str) -> Failure {
    let executed = executed(sent);
    let doubt = match executed {
        Executed::Unknown => "; a change may have been made: check before repeating it",
        Executed::Yes => "; a part of the change was made: check before repeating it",
        Executed::No => "",
    };
    let transaction_id = (!sent.is_empty()).then(|| transaction_id.to_owned());
    Failure { executed, transaction_id, ..Failure::new(kind, format!("{message}{doubt}")) }
}

fn told_transaction(fault: &Fault) -> Option<String> {
    match fault {
        Fault::Explained { cause, .. } => told_transaction(cause),
        Fault::Upstream(upstream) => upstream.transaction_id.clone(),
        Fault::Unreadable { transaction_id, .. } => transaction_id.clone(),
        _ => None,
    }
}

fn kind(fault: &Fault) -> Kind {
    match fault {
        Fault::Explained { cause, .. } => kind(cause),
        Fault::Invalid { .. } => Kind::InvalidArguments,
        Fault::Refused { kind, .. } | Fault::Broker { kind, .. } => *kind,
        Fault::Upstream(upstream) => upstream.kind(),
        Fault::Unreadable { .. } | Fault::TooLarge(_) => Kind::Upstream,
        Fault::NotSent(_) | Fault::NoAnswer(_) => Kind::Unreachable,
        Fault::TimedOut(_) => Kind::TimedOut,
        Fault::SignedOut => Kind::LoginRequired,
    }
}

fn hint(fault: &Fault) -> Option<String> {
    match fault {
        Fault::Explained { hint, .. } => Some(hint.clone()),
        Fault::Refused { hint, .. } | Fault::Broker { hint, .. } => hint.clone(),
        Fault::Upstream(upstream) if upstream.status == 429 => Some(match upstream.retry_after {
            Some(wait) if wait < Duration::MAX => format!("try again in {} s", wait.as_secs()),
            _ => "try again in a minute".to_owned(),
        }),
        Fault::Upstream(upstream) if matches!(upstream.status, 401 | 403) => {
            Some("the signed-in user lacks this right, or the tenant does not offer the operation".to_owned())
        }
        Fault::NotSent(_) => Some("aic-broker doctor".to_owned()),
        Fault::SignedOut => Some("call the tool again".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(status: Option<u16>) -> Sent {
        Sent { method: "PUT".to_owned(), path: "/x".to_owned(), status, writes: true }
    }

    #[test]
    fn executed_tells_what_reached_the_tenant() {
        let read = Sent { writes: false, ..write(None) };
        let cases = [
            (vec![], Executed::No),
            (vec![read.clone()], Executed::No),
            (vec![write(Some(200))], Executed::Yes),
            (vec![write(Some(404))], Executed::No),
            (vec![write(Some(500))], Executed::Yes),
            (vec![write(None)], Executed::Unknown),
            (vec![write(Some(200)), write(None)], Executed::Unknown),
            (vec![write(Some(201)), write(Some(412)), read], Executed::Yes),
        ];

        for (sent, wanted) in cases {
            assert_eq!(executed(&sent), wanted, "{sent:?}");
        }
    }

    #[test]
    fn an_unknown_write_says_so() {
        let told = failure(Fault::NoAnswer("no answer from x".to_owned()), &[write(None)], "t-1");

        assert_eq!(told.executed, Executed::Unknown);
        assert_eq!(told.kind, Kind::Unreachable);
        assert!(told.message.contains("may have been made"));
        assert_eq!(told.transaction_id.as_deref(), Some("t-1"));
    }
}
