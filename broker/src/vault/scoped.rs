//! Remembers the scoped tokens of one session, each until shortly before its end. Pure but for what it holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::secret::{Bearer, Secret};

/// A token is given up this long before its end at the least (the contract's section 6).
const LEAST_MARGIN: Duration = Duration::from_secs(5);
/// Above that, a tenth of its life.
const MARGIN_PART: u32 = 10;
/// How many scope sets are remembered: the catalogue has six, and `aic-broker token` may ask for others.
const REMEMBERED: usize = 64;

/// Scoped tokens by their scopes.
#[derive(Default)]
pub(super) struct Cache {
    tokens: HashMap<String, Entry>,
}

struct Entry {
    token: Arc<Secret>,
    bearer: Bearer,
    give_up: Moment,
    ends: Moment,
}

/// The key of a scope set: its scopes in order.
pub(super) fn key(mut scopes: Vec<String>) -> String {
    scopes.sort_unstable();
    scopes.dedup();
    scopes.join(" ")
}

/// When a token that was received at `received` is used no more.
pub(super) fn give_up_at(received: Moment, lifetime: Duration) -> Moment {
    let margin = (lifetime / MARGIN_PART).max(LEAST_MARGIN);
    received.plus(lifetime.saturating_sub(margin))
}

impl Cache {
    /// The token for these scopes, while it may be used.
    pub(super) fn find(&self, key: &str, now: Moment) -> Option<(Bearer, Duration)> {
        let entry = self.tokens.get(key).filter(|entry| !entry.give_up.has_come(now))?;
        Some((entry.bearer.clone(), entry.ends.left(now)))
    }

    /// Remembers a token; the oldest makes room.
    pub(super) fn keep(&mut self, key: String, bearer: Bearer, token: Arc<Secret>, lifetime: Duration, now: Moment) {
        self.tokens.retain(|_, entry| !entry.ends.has_come(now));
        if self.tokens.len() >= REMEMBERED {
            self.tokens.clear();
        }
        let entry = Entry { token, bearer, give_up: give_up_at(now, lifetime), ends: now.plus(lifetime) };
        self.tokens.insert(key, entry);
    }

    /// Forgets the token with this serial number.
    pub(super) fn drop_serial(&mut self, serial: u64) {
        self.tokens.retain(|_, entry| entry.bearer.serial != serial);
    }

    /// Takes all tokens out, to be revoked or wiped.
    pub(super) fn take(&mut self) -> Vec<Arc<Secret>> {
        self.tokens.drain().map(|(_, entry)| entry.token).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_given_up_before_its_end() {
        let now = Moment::now();
        let cases = [(899, 810), (59, 54), (6, 1), (5, 0), (3, 0), (3600, 3240)];

        for (lifetime, used) in cases {
            let left = give_up_at(now, Duration::from_secs(lifetime)).left(now);
            assert!(left.abs_diff(Duration::from_secs(used)) < Duration::from_secs(1), "{lifetime}: {left:?}");
        }
    }

    #[test]
    fn the_order_of_scopes_does_not_matter_and_each_scope_does() {
        let scopes = |list: &[&str]| key(list.iter().map(|scope| (*scope).to_owned()).collect());

        assert_eq!(scopes(&["b", "a", "b"]), "a b");
        assert_eq!(scopes(&["a"]), "a");
    }

    fn keep(cache: &mut Cache, key: &str, serial: u64, now: Moment) {
        let token = Arc::new(Secret::copy_of("t"));
        cache.keep(key.to_owned(), Bearer::new(Arc::clone(&token), serial, 1), token, Duration::from_secs(20), now);
    }

    #[test]
    fn a_token_is_found_until_it_is_given_up() {
        let now = Moment::now();
        let mut cache = Cache::default();
        keep(&mut cache, "a", 7, now);

        let found = cache.find("a", now.plus(Duration::from_secs(14)));
        assert_eq!(found.map(|(bearer, left)| (bearer.serial, left)), Some((7, Duration::from_secs(6))));
        assert!(cache.find("b", now).is_none());
        assert!(cache.find("a", now.plus(Duration::from_secs(15))).is_none());
        cache.drop_serial(8);
        assert!(cache.find("a", now).is_some());
        cache.drop_serial(7);
        assert!(cache.find("a", now).is_none());
    }

    #[test]
    fn what_has_ended_and_what_is_too_many_makes_room() {
        let now = Moment::now();
        let mut cache = Cache::default();

        keep(&mut cache, "ended", 0, now);
        let later = now.plus(Duration::from_secs(20));
        (1..=REMEMBERED as u64).for_each(|serial| keep(&mut cache, &serial.to_string(), serial, later));
        assert_eq!(cache.tokens.len(), REMEMBERED);
        keep(&mut cache, "more", 0, later);

        assert_eq!(cache.take().len(), 1);
        assert!(cache.take().is_empty());
    }
}
