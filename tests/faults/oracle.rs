//! Judges one write: what its caller was told, what the audit log says, what the tenant's ledger says. Pure.

use aic_proto::refusal::Executed;

use super::caller::Told;

/// What the tenant's ledger says of one write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Whole requests that arrived and were not refused for their token.
    pub arrived: usize,
    /// Requests that changed something.
    pub changed: usize,
}

/// What the audit log says of one write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Lines of intent.
    pub intents: usize,
    /// The outcome and `executed` of each line of the call.
    pub calls: Vec<(String, String)>,
}

/// What contradicts what.
///
/// Source: the contract's section 6: `no` was never executed, `yes` exactly once, `unknown` at most once.
pub fn contradiction(told: Told, record: &Record, ledger: Ledger) -> Option<&'static str> {
    let wrong = |is_wrong: bool, words| is_wrong.then_some(words);
    wrong(ledger.arrived > 1, "sent twice")
        .or_else(|| wrong(ledger.changed > 1, "executed twice"))
        .or_else(|| answer_against(told, ledger.changed))
        .or_else(|| wrong(ledger.arrived > 0 && record.intents == 0, "arrived without a line of intent"))
        .or_else(|| record_against(told, record))
}

/// The same where the way between the two programs was broken: the log may know more than the caller.
pub fn contradiction_apart(told: Told, record: &Record, ledger: Ledger) -> Option<&'static str> {
    let known = match record.calls.as_slice() {
        [] => None,
        [(_, executed)] if executed == Executed::Yes.word() && ledger.changed == 0 => Some("logged and not executed"),
        [(_, executed)] if executed == Executed::No.word() && ledger.changed > 0 => Some("executed and not logged"),
        [_] => None,
        _ => Some("more than one line of the call"),
    };
    let alone = if let Told::Failed(..) | Told::Success = told { Told::Lost } else { told };
    answer_against(told, ledger.changed).or(known).or_else(|| contradiction(alone, record, ledger))
}

fn answer_against(told: Told, changed: usize) -> Option<&'static str> {
    match (told, changed) {
        (Told::Success, 0) => Some("told as done and not executed"),
        (Told::Failed(_, Executed::Yes), 0) => Some("told as executed and not executed"),
        (Told::Failed(_, Executed::No) | Told::SignIn, 1..) => Some("told as not executed and executed"),
        (Told::Nothing, _) => Some("never answered"),
        _ => None,
    }
}

fn record_against(told: Told, record: &Record) -> Option<&'static str> {
    let wanted = match told {
        Told::Success => ("success", "yes"),
        Told::Failed(kind, executed) => (kind.word(), executed.word()),
        Told::SignIn | Told::Lost | Told::Nothing => return None,
    };
    match record.calls.as_slice() {
        // a call that came to no request has a line without a path
        [] if wanted.1 == "no" && record.intents == 0 => None,
        [] => Some("answered without a line of the call"),
        [(outcome, executed)] if (outcome.as_str(), executed.as_str()) == wanted => None,
        [_] => Some("the line of the call says something else than the answer"),
        _ => Some("more than one line of the call"),
    }
}

#[cfg(test)]
mod tests {
    use aic_proto::refusal::Kind;

    use super::*;

    fn record(outcome: &str, executed: &str) -> Record {
        Record { intents: 1, calls: vec![(outcome.to_owned(), executed.to_owned())] }
    }

    fn ledger(arrived: usize, changed: usize) -> Ledger {
        Ledger { arrived, changed }
    }

    #[test]
    fn what_fits_together_is_no_contradiction() {
        let unknown = Told::Failed(Kind::Unreachable, Executed::Unknown);
        let refused = Told::Failed(Kind::TimedOut, Executed::No);
        let cases = [
            (Told::Success, record("success", "yes"), ledger(1, 1)),
            (unknown, record("unreachable", "unknown"), ledger(0, 0)),
            (unknown, record("unreachable", "unknown"), ledger(1, 1)),
            (Told::Failed(Kind::Upstream, Executed::No), record("upstream", "no"), ledger(1, 0)),
            (refused, Record::default(), ledger(0, 0)),
            (Told::Lost, Record { intents: 1, calls: vec![] }, ledger(1, 1)),
        ];
        for (told, record, ledger) in cases {
            assert_eq!(contradiction(told, &record, ledger), None, "{told:?} {record:?} {ledger:?}");
        }
    }

    #[test]
    fn a_log_that_knows_more_than_the_caller_is_no_contradiction_and_a_wrong_one_is() {
        let unknown = Told::Failed(Kind::TimedOut, Executed::Unknown);
        let refused = Told::Failed(Kind::BrokerUnavailable, Executed::No);
        let cases = [
            (unknown, record("success", "yes"), ledger(1, 1), true),
            (refused, Record::default(), ledger(0, 0), true),
            (refused, record("success", "yes"), ledger(1, 1), false),
            (unknown, record("success", "yes"), ledger(1, 0), false),
            (unknown, record("upstream", "no"), ledger(1, 1), false),
            (unknown, Record::default(), ledger(1, 1), false),
            (unknown, record("success", "yes"), ledger(2, 1), false),
            (Told::Nothing, Record::default(), ledger(0, 0), false),
        ];
        for (told, record, ledger, fits) in cases {
            let found = contradiction_apart(told, &record, ledger);
            assert_eq!(found.is_none(), fits, "{told:?} {record:?} {ledger:?}: {found:?}");
        }
    }

    #[test]
    fn each_lie_is_found() {
        let unknown = Told::Failed(Kind::Unreachable, Executed::Unknown);
        let refused = Told::Failed(Kind::Upstream, Executed::No);
        let answered = Told::Failed(Kind::Upstream, Executed::Yes);
        let cases = [
            (unknown, record("unreachable", "unknown"), ledger(2, 1)),
            (unknown, record("unreachable", "unknown"), ledger(1, 2)),
            (Told::Success, record("success", "yes"), ledger(1, 0)),
            (answered, record("upstream", "yes"), ledger(1, 0)),
            (refused, record("upstream", "no"), ledger(1, 1)),
            (Told::Nothing, Record::default(), ledger(0, 0)),
            (unknown, Record { intents: 0, ..record("unreachable", "unknown") }, ledger(1, 1)),
            (unknown, record("unreachable", "no"), ledger(1, 1)),
            (unknown, record("timed_out", "unknown"), ledger(1, 1)),
            (unknown, Record { intents: 1, calls: vec![] }, ledger(1, 1)),
        ];
        for (told, record, ledger) in cases {
            assert!(contradiction(told, &record, ledger).is_some(), "{told:?} {record:?} {ledger:?}");
        }
    }
}
