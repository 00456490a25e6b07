//! Faulted writes by name: how they are called, found again in the ledger, and judged.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::caller::Told;
use super::oracle::{Ledger, Record};
use super::plan::{Break, Plan, Way};
use super::report::Report;
use crate::tenant::Tenant;
use crate::tenant::ledger::Entry;

/// One faulted write and what its caller was told.
pub struct Case {
    /// The variable's name.
    pub name: String,
    /// What was broken.
    pub plan: Plan,
    /// Whether the write met its plan; one whose time ran out before is no faulted one.
    pub met: bool,
    /// What its caller was told.
    pub told: Told,
    /// How many writes that no caller made the tenant executed meanwhile.
    pub strange: usize,
}

impl Case {
    /// Whether a bit was turned over.
    pub fn is_flipped(&self) -> bool {
        matches!(self.plan.what, Break::Flip(_))
    }

    /// Whether it may have become another write: only on its way up.
    fn may_be_another(&self) -> bool {
        self.is_flipped() && self.plan.way == Way::Up
    }
}

/// What contradicts what in a case, if anything does.
pub type Verdict = fn(&Case, &Record, Ledger) -> Option<&'static str>;

/// The arguments of a write.
pub fn arguments(name: &str) -> Value {
    json!({"variableId": name, "value": "green", "type": "string", "description": "a colour"})
}

/// A name whose second number follows from its first, so that no flipped bit makes it another write's name.
pub fn name_of(prefix: &str, number: usize) -> String {
    format!("{prefix}-{number:05}-{:05}", 99_999 - number)
}

/// How many writes the tenant executed since its ledger had this length that no caller of this prefix made.
pub fn strange_since(tenant: &Tenant, before: usize, prefix: &str) -> usize {
    tenant.ledger_after(before).iter().filter(|entry| entry.changed && !is_ours(entry, prefix)).count()
}

fn is_ours(entry: &Entry, prefix: &str) -> bool {
    let mut words = entry.path.rsplit('-').map(str::parse::<usize>);
    matches!((words.next(), words.next()), (Some(Ok(second)), Some(Ok(first))) if first + second == 99_999 && entry.path.contains(prefix))
}

/// What a ledger says of each variable's writes, by name.
pub fn ledgers(entries: &[Entry]) -> HashMap<String, Ledger> {
    let mut ledgers = HashMap::<String, Ledger>::new();
    for entry in entries.iter().filter(|entry| entry.method == "PUT" && entry.status != Some(401)) {
        let ledger = ledgers.entry(entry.path.rsplit('/').next().unwrap_or_default().to_owned()).or_default();
        ledger.arrived += 1;
        ledger.changed += usize::from(entry.changed);
    }
    ledgers
}

/// Judges the cases of one tenant and adds them to the report.
///
/// A bit flipped in a path makes another write of it: it is counted for the call that made it.
pub fn judge(
    report: &mut Report,
    tenant: &Tenant,
    records: &HashMap<String, Record>,
    cases: Vec<Case>,
    verdict: Verdict,
) {
    let (nothing, ledgers) = (Record::default(), ledgers(&tenant.ledger()));
    for case in cases {
        let own = ledgers.get(&case.name).copied().unwrap_or_default();
        let strange = if case.may_be_another() { case.strange } else { 0 };
        let ledger = Ledger { arrived: own.arrived + strange, changed: own.changed + strange };
        let record = records.get(&case.name).unwrap_or(&nothing);
        if let Some(words) = verdict(&case, record, ledger) {
            let Case { name, plan, told, .. } = &case;
            report.contradictions.push(format!("{words}: {name} {plan:?}: told {told:?}, {record:?}, {ledger:?}"));
        }
        report.strange += strange;
        report.writes += usize::from(case.met);
        *report.told.entry((case.plan.what.word(), case.told)).or_default() += 1;
    }
}
