//! Error bodies of the tenant: whatever they hold becomes one bounded line that steers nobody.

use aic_broker::fuzzing::Upstream;
use serde_json::Value;

use super::assert_plain;

const STATUSES: [u16; 6] = [400, 401, 404, 409, 429, 503];
/// The message and the detail are bounded at 2,000 characters each; the rest is ours.
const LONGEST: usize = 4_100;

/// The first byte chooses the status; the rest is the body.
pub(super) fn hold(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let status = STATUSES[usize::from(*choice) % STATUSES.len()];
    let upstream = Upstream::read(status, body, None);
    let told = upstream.to_string();

    assert_plain(&told);
    assert_plain(&upstream.message);
    assert!(told.chars().count() <= LONGEST, "{}", told.len());
    assert!(told.starts_with(&format!("the tenant answered {status}")));
    assert_eq!(Upstream::read(status, body, None), upstream);
    let document = serde_json::from_slice::<Value>(body.trim_ascii()).ok();
    let detail = document.as_ref().and_then(|document| document.get("detail")).filter(|detail| !detail.is_null());
    assert_eq!(upstream.detail.as_ref(), detail);
}
