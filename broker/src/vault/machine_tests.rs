//! The cases of the session machine.

use aic_proto::message::Shown;
use aic_proto::refusal::Kind;

use super::*;

fn failure() -> Failure {
    Failure::new(Kind::LoginFailed, "no")
}

fn pending() -> Pending {
    let shown = Shown::Browser { url: "https://x".to_owned(), opened: true };
    let expires_at = String::new();
    Pending {
        flow: "f".to_owned(),
        tenant: "t".to_owned(),
        host: "x".to_owned(),
        shown,
        expires_at,
        expires_in: 1,
        note: None,
    }
}

fn login(generation: Generation) -> Login {
    Login { generation, pending: None }
}

fn session(generation: Generation, now: Moment) -> Session {
    Session {
        generation,
        user: None,
        since: now,
        expires_at: now.plus(Duration::from_secs(100)),
        proven: false,
        speaks_at: None,
    }
}

fn granted(generation: Generation, now: Moment) -> Event {
    Event::Granted { generation, user: None, expires_at: now.plus(Duration::from_secs(100)) }
}

#[test]
fn every_event_has_its_step() {
    let now = Moment::now();
    let resting = || State::SignedOut(Why::Failed { until: now.plus(REST), failure: failure() });
    let out = || State::SignedOut(Why::Ended);
    let signing = || State::SigningIn(login(1));
    let signed = || State::SignedIn(session(1, now));
    let renewing = || State::Renewing(session(1, now), login(2));
    let shown = State::SigningIn(Login { generation: 1, pending: Some(pending()) });
    let shown_beside = State::Renewing(session(1, now), Login { generation: 2, pending: Some(pending()) });
    let used = || Session { proven: true, ..session(1, now) };
    let cases = [
        ("a call begins", out(), Event::Wanted(By::Call), State::SigningIn(login(9)), vec![Effect::Begin(9)]),
        ("a call joins", signing(), Event::Wanted(By::Call), signing(), vec![]),
        ("a call finds a session", signed(), Event::Wanted(By::Call), signed(), vec![]),
        ("a call rests", resting(), Event::Wanted(By::Call), resting(), vec![]),
        ("a person does not", resting(), Event::Wanted(By::Person), State::SigningIn(login(9)), vec![Effect::Begin(9)]),
        ("a person finds a session", signed(), Event::Wanted(By::Person), signed(), vec![]),
        (
            "a renewal begins",
            signed(),
            Event::Wanted(By::Renewal),
            State::Renewing(session(1, now), login(9)),
            vec![Effect::Begin(9)],
        ),
        ("a screen is shown", signing(), Event::Shown(1, pending()), shown, vec![]),
        ("an old screen is not", signing(), Event::Shown(0, pending()), signing(), vec![]),
        ("a grant is kept", signing(), granted(1, now), signed(), vec![Effect::Keep(1)]),
        ("a grant that cannot be kept", signed(), Event::NotKept(1, failure()), resting(), vec![]),
        ("an older grant cannot be kept", signed(), Event::NotKept(0, failure()), signed(), vec![]),
        ("an old grant is given back", signing(), granted(0, now), signing(), vec![Effect::Discard(0)]),
        ("a late grant is given back", out(), granted(1, now), out(), vec![Effect::Discard(1)]),
        (
            "a renewal replaces",
            renewing(),
            granted(2, now),
            State::SignedIn(session(2, now)),
            vec![Effect::Revoke(1), Effect::Keep(2)],
        ),
        ("a failure rests", signing(), Event::Failed(1, failure()), resting(), vec![]),
        ("an old failure does not", signing(), Event::Failed(0, failure()), signing(), vec![]),
        ("a failed renewal keeps the session", renewing(), Event::Failed(2, failure()), signed(), vec![]),
        ("a declined dialog stops", signing(), Event::Declined(1, failure()), resting(), vec![Effect::Stop(1)]),
        ("an old dialog does not", signing(), Event::Declined(0, failure()), signing(), vec![]),
        ("a rejected token is forgotten", signed(), Event::Rejected(1), out(), vec![Effect::Forget(1)]),
        ("an old rejection changes nothing", signed(), Event::Rejected(0), signed(), vec![]),
        (
            "a rejection leaves the renewal",
            renewing(),
            Event::Rejected(1),
            State::SigningIn(login(2)),
            vec![Effect::Forget(1)],
        ),
        ("signing out revokes", signed(), Event::SignedOut, out(), vec![Effect::Revoke(1)]),
        ("signing out stops", signing(), Event::SignedOut, out(), vec![Effect::Stop(1)]),
        ("signing out does both", renewing(), Event::SignedOut, out(), vec![Effect::Stop(2), Effect::Revoke(1)]),
        ("nobody signs out", out(), Event::SignedOut, out(), vec![]),
        (
            "a renewal of nothing begins",
            out(),
            Event::Wanted(By::Renewal),
            State::SigningIn(login(9)),
            vec![Effect::Begin(9)],
        ),
        ("a renewal is joined", renewing(), Event::Wanted(By::Renewal), renewing(), vec![]),
        ("a screen is shown beside a session", renewing(), Event::Shown(2, pending()), shown_beside, vec![]),
        ("an old screen is not", renewing(), Event::Shown(1, pending()), renewing(), vec![]),
        ("nobody is shown a screen", out(), Event::Shown(1, pending()), out(), vec![]),
        ("an old renewal is given back", renewing(), granted(1, now), renewing(), vec![Effect::Discard(1)]),
        ("an old failure leaves the renewal", renewing(), Event::Failed(1, failure()), renewing(), vec![]),
        (
            "a declined renewal keeps the session",
            renewing(),
            Event::Declined(2, failure()),
            signed(),
            vec![Effect::Stop(2)],
        ),
        ("an old dialog leaves the renewal", renewing(), Event::Declined(1, failure()), renewing(), vec![]),
        ("an exchange proves a session", signed(), Event::Proven(1), State::SignedIn(used()), vec![]),
        ("an old exchange does not", signed(), Event::Proven(0), signed(), vec![]),
        ("a proof is not taken back", State::SignedIn(used()), Event::Proven(0), State::SignedIn(used()), vec![]),
        (
            "a session is proven while it is renewed",
            renewing(),
            Event::Proven(1),
            State::Renewing(used(), login(2)),
            vec![],
        ),
        ("nobody is proven", out(), Event::Proven(1), out(), vec![]),
        ("an old rejection leaves the renewal", renewing(), Event::Rejected(2), renewing(), vec![]),
        (
            "a renewal is under way when a grant cannot be kept",
            renewing(),
            Event::NotKept(1, failure()),
            renewing(),
            vec![],
        ),
        ("a look changes nothing", signed(), Event::Looked, signed(), vec![]),
    ];

    for (name, state, event, wanted, effects) in cases {
        assert_eq!(step(state, event, 9, now), (wanted, effects), "{name}");
    }
}

#[test]
fn a_session_ends_by_its_time() {
    let now = Moment::now();
    let later = now.plus(Duration::from_secs(101));

    let ended = step(State::SignedIn(session(1, now)), Event::Looked, 9, later);
    let renewed = step(State::Renewing(session(1, now), login(2)), Event::Looked, 9, later);

    assert_eq!(ended, (State::SignedOut(Why::Expired), vec![Effect::Forget(1)]));
    assert_eq!(renewed, (State::SigningIn(login(2)), vec![Effect::Forget(1)]));
}

#[test]
fn a_session_says_once_that_it_ends_soon() {
    let now = Moment::now();
    let hour = now.plus(Duration::from_secs(3600));
    let long = Session { expires_at: hour, speaks_at: speaks_at(now, hour), ..session(1, now) };
    let before = now.plus(Duration::from_secs(3299));
    let soon = now.plus(Duration::from_secs(3301));

    let (state, silent) = step(State::SignedIn(long), Event::Looked, 9, before);
    let (state, told) = step(state, Event::Looked, 9, soon);
    let (_, again) = step(state, Event::Looked, 9, soon);

    assert_eq!((silent, told, again), (vec![], vec![Effect::EndsSoon], vec![]));
    assert_eq!(speaks_at(now, now.plus(SOON)), None);
    assert_eq!(speaks_at(now, now.plus(SOON * 2)), None);
}

#[test]
fn a_session_that_has_ended_does_not_say_that_it_will() {
    let now = Moment::now();
    let hour = now.plus(Duration::from_secs(3600));
    let long = Session { expires_at: hour, speaks_at: speaks_at(now, hour), ..session(1, now) };

    let ended = step(State::SignedIn(long), Event::Looked, 9, hour);

    assert_eq!(ended, (State::SignedOut(Why::Expired), vec![Effect::Forget(1)]));
}

#[test]
fn a_state_has_its_word_and_its_next_change() {
    let now = Moment::now();
    let (end, soon) = (now.plus(Duration::from_secs(100)), now.plus(Duration::from_secs(50)));
    let failed = Why::Failed { until: now, failure: failure() };
    let speaking = Session { speaks_at: Some(soon), ..session(1, now) };
    let cases = [
        (State::SignedOut(Why::Ended), "signed_out", None),
        (State::SignedOut(failed), "signed_out", None),
        (State::SignedOut(Why::Expired), "expired", None),
        (State::SigningIn(login(1)), "signing_in", None),
        (State::SignedIn(session(1, now)), "signed_in", Some(end)),
        (State::SignedIn(speaking), "signed_in", Some(soon)),
        (State::Renewing(session(1, now), login(2)), "signed_in", Some(end)),
    ];

    for (state, word, change) in cases {
        assert_eq!((state.word(), state.next_change()), (word, change), "{state:?}");
    }
}

#[test]
fn a_call_after_the_end_forgets_and_begins() {
    let now = Moment::now();
    let later = now.plus(Duration::from_secs(101));

    let (state, effects) = step(State::SignedIn(session(1, now)), Event::Wanted(By::Call), 9, later);

    assert_eq!(state, State::SigningIn(login(9)));
    assert_eq!(effects, vec![Effect::Forget(1), Effect::Begin(9)]);
}

#[test]
fn a_call_begins_when_the_rest_is_over() {
    let now = Moment::now();
    let resting = State::SignedOut(Why::Failed { until: now.plus(REST), failure: failure() });

    let (state, _) = step(resting, Event::Wanted(By::Call), 9, now.plus(REST));

    assert_eq!(state, State::SigningIn(login(9)));
}

#[test]
fn a_fresh_session_that_never_exchanged_is_not_signed_in_again() {
    let now = Moment::now();
    let proven = Session { proven: true, ..session(1, now) };

    assert!(is_fresh_and_unproven(&session(1, now), now));
    assert!(!is_fresh_and_unproven(&proven, now));
    assert!(!is_fresh_and_unproven(&session(1, now), now.plus(FRESH)));
}
