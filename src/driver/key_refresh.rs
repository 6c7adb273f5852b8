//! Looks after issuers' keys as the rule of [`freshness`](crate::keys::freshness) says: fetched ahead of their end, fetched first when it
//! is over, and forgotten when they are too old.

use super::{
    World,
    location::Location,
    upkeep::{follows, is_trusted},
};
use crate::{
    keys::freshness::{self, Fetch, Held, Plan},
    policy::RemoteSource,
    time::UnixSeconds,
};

/// Looks after the keys that are there, before a request is decided about.
pub(crate) async fn tend<W: World>(world: &W) {
    let Some(look) = world.upkeep().look(world.now()) else { return };
    let mut next = u64::MAX;
    for location in locations(world, |_| true) {
        let now = world.now();
        let plan = plan(world, &location, now);
        // Only what is due is asked about: there may be a thousand tenants.
        let is_due = plan.fetch != Fetch::No;
        if plan.forget || (is_due && !is_trusted(&world.read(), &location.issuer)) {
            forget(world, &location);
        } else if is_due {
            // Nothing runs beside requests here: this one waits, and the others go on by the present keys.
            fetch(world, &location, now).await;
        }
        next = next.min(self::plan(world, &location, now).again_at.unwrap_or(next));
    }
    world.upkeep().rest(look, next);
}

/// Whether an issuer has keys that were not there before, after it was asked for one that is unknown.
pub(crate) async fn refresh<W: World>(world: &W, issuer: &str) -> bool {
    let found = || locations(world, |source| source.issuer == issuer).pop();
    let mut location = found();
    if location.is_none() {
        // A tenant that a resolver may know. The gate is let go before it is read again.
        let is_admitted = world.write().admit_tenant(issuer);
        location = if is_admitted { found() } else { None };
    }
    let Some(location) = location else { return false };
    let generation = || world.upkeep().known().get(&location.name).map_or(0, |known| known.generation);
    let (now, before) = (world.now(), generation());
    if world.upkeep().under_way(&location, now) {
        world.landed(&location, now).await;
    } else if plan(world, &location, now).may_ask {
        fetch(world, &location, now).await;
    }
    generation() != before
}

/// Why an issuer's keys are not to be had, and in how many seconds their origin may be asked again; `None` when it has not failed.
pub(crate) fn trouble<W: World>(world: &W, issuer: &str) -> Option<(String, u64)> {
    let location = locations(world, |source| source.issuer == issuer).pop()?;
    let reason = world.upkeep().known().get(&location.name)?.failure.clone()?;
    let now = world.now();
    let from = plan(world, &location, now).may_ask_from.unwrap_or_default();
    Some((reason, from.saturating_sub(now.get()).max(1)))
}

fn locations<W: World>(world: &W, wanted: impl Fn(&RemoteSource<'_>) -> bool) -> Vec<Location> {
    let gate = world.read();
    gate.verifier().policy().remotes_once_admitted().filter(wanted).map(|source| Location::of(&source)).collect()
}

fn plan<W: World>(world: &W, location: &Location, now: UnixSeconds) -> Plan {
    let times = world.upkeep().known().get(&location.name).map(|known| known.times).unwrap_or_default();
    location.bounds.plan(&times, now.get())
}

async fn fetch<W: World>(world: &W, location: &Location, now: UnixSeconds) {
    let Some(landing) = world.upkeep().begin(&location.name, location, now) else { return };
    let Some(published) = world.published(location).await else {
        return world.upkeep().failed(&location.name, "unavailable");
    };
    let mut gate = world.write();
    // Another policy may have been taken meanwhile.
    if !follows(&gate, &location.name, published.metadata.as_deref()) {
        return;
    }
    world.upkeep().stir();
    let mut known = world.upkeep().known();
    let known = known.entry(location.name.clone()).or_default();
    // One that was taken for dead must not undo what a later one has brought. Numbers tell which is
    // the later one, since a clock may be set back.
    if known.landed > landing.number {
        return;
    }
    // A set that is no good changes nothing.
    let report = match gate.set_remote_keys(&location.issuer, &published.jwks) {
        Ok(report) => report,
        Err(error) => return known.fail(&format!("bad-document: {error}")),
    };
    (known.times.failures, known.failure) = (0, None);
    known.landed = landing.number;
    known.metadata = published.metadata;
    let ttl_seconds = freshness::lifetime(published.cache_control.as_deref(), published.age.as_deref());
    // The age of an answer counts from the question.
    known.times.held = Some(Held { fetched_at: now.get(), ttl_seconds, spread: world.spread() });
    known.generation = known.generation.saturating_add(u64::from(report.changed));
}

fn forget<W: World>(world: &W, location: &Location) {
    let mut gate = world.write();
    gate.forget_remote_keys(&location.issuer);
    if let Some(known) = world.upkeep().known().get_mut(&location.name) {
        known.forget();
    }
}

#[cfg(test)]
mod tests {
    use core::{
        pin::Pin,
        sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    };
    use std::sync::Arc;

    use super::*;
    use crate::{
        driver::fake::{Fake, ISSUER, look},
        gate::Gate,
    };

    /// A refresh that waits for its fetch.
    fn waiting(world: &Fake) -> Pin<Box<impl Future<Output = bool>>> {
        let mut asking = Box::pin(refresh(world, ISSUER));
        assert_eq!(look(asking.as_mut()), None);
        asking
    }

    /// A policy whose issuer is at that place, and what its gate says.
    fn policy(remote: &str, gate: &str) -> String {
        format!(r#"{{"issuers":[{{"issuer":"{ISSUER}","audience":"a","remote":{remote}}}],"gate":{gate}}}"#)
    }

    const FOUND: &str = r#"{"discovery":"oidc"}"#;
    const NAMED: &str = r#"{"jwksUri":"https://keys.corp/a"}"#;
    const OPEN: &str = r#"{"privateHosts":["keys.corp"]}"#;
    const WIDER: &str = r#"{"privateHosts":["other.corp","keys.corp"]}"#;
    const CLOSED: &str = r#"{"privateHosts":["other.corp"]}"#;

    #[test]
    fn keys_of_a_host_that_another_policy_does_not_follow_are_dropped_with_the_first() {
        for (remote, gate, stay) in
            [(FOUND, WIDER, true), (FOUND, CLOSED, false), (FOUND, "{}", false), (NAMED, "{}", true)]
        {
            let world = Fake::new(&policy(remote, OPEN));
            let mut asking = waiting(&world);
            world.answer(0, "a");
            assert_eq!(look(asking.as_mut()), Some(true));
            assert!(world.has_keys());
            world.replace(&policy(remote, gate));
            assert_eq!(world.has_keys(), stay, "{remote} {gate}");
            let known = world.upkeep.known();
            assert!(known.values().all(|known| known.times.held.is_some() == stay && known.times.asked_at.is_some()));
        }
    }

    #[test]
    fn keys_under_way_from_a_host_that_another_policy_does_not_follow_are_not_taken() {
        for (remote, gate, taken) in
            [(FOUND, WIDER, true), (FOUND, CLOSED, false), (FOUND, "{}", false), (NAMED, "{}", true)]
        {
            let world = Fake::new(&policy(remote, OPEN));
            let mut asking = waiting(&world);
            world.replace(&policy(remote, gate));
            world.answer(0, "a");
            assert_eq!(look(asking.as_mut()), Some(taken), "{remote} {gate}");
            assert_eq!(world.has_keys(), taken, "{remote} {gate}");
        }
    }

    #[test]
    fn a_resolver_is_asked_about_what_is_due_and_keys_of_a_withdrawn_tenant_are_dropped_and_not_fetched() {
        let (asked, is_ours) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
        let (count, answer) = (Arc::clone(&asked), Arc::clone(&is_ours));
        let resolver = move |_: &str, _: &[(&str, &str)]| {
            count.fetch_add(1, Ordering::SeqCst);
            answer.load(Ordering::SeqCst)
        };
        let issuer = r#"{"issuer":"https://{name}.example","tenants":"resolver","holesWithoutClaim":["name"],
            "audience":"a","remote":{"jwksUri":"https://keys.example/{name}"}}"#;
        let gate = Gate::from_json(&format!(r#"{{"issuers":[{issuer}]}}"#)).unwrap();
        let world = Fake::of(gate.with_tenant_resolver(resolver));
        let mut asking = waiting(&world);
        world.answer(0, "a");
        assert_eq!(look(asking.as_mut()), Some(true));

        let before = asked.load(Ordering::SeqCst);
        assert_eq!(look(Box::pin(tend(&world)).as_mut()), Some(()));
        assert_eq!(asked.load(Ordering::SeqCst), before, "nothing is due");

        is_ours.store(false, Ordering::SeqCst);
        world.pass(86_000);
        assert_eq!(look(Box::pin(tend(&world)).as_mut()), Some(()), "no fetch is waited for");
        assert!(!world.has_keys());
    }

    #[test]
    fn nothing_is_looked_at_until_something_is_due_or_has_changed() {
        let world = Fake::new(&policy(NAMED, "{}"));
        let is_quiet = || world.upkeep.look(world.now()).is_none();
        let tended = || {
            assert!(!is_quiet());
            assert_eq!(look(Box::pin(tend(&world)).as_mut()), Some(()));
            assert!(is_quiet());
        };
        tended();
        let mut asking = waiting(&world);
        world.answer(0, "a");
        assert_eq!(look(asking.as_mut()), Some(true));
        // A set has come, which is fetched anew after three quarters of its ten minutes.
        tended();
        world.pass(449);
        assert!(is_quiet());
        world.pass(1);
        assert!(!is_quiet());
        let mut tending = Box::pin(tend(&world));
        assert_eq!(look(tending.as_mut()), None, "it is due");
        world.answer(1, "b");
        assert_eq!(look(tending.as_mut()), Some(()));
        assert!(world.holds("b"));
        tended();
        world.replace(&policy(NAMED, OPEN));
        tended();
        world.pass(-1);
        tended();
    }

    #[test]
    fn keys_of_one_place_stay_whatever_is_known_of_another() {
        let world = Fake::new(&policy(FOUND, OPEN));
        let ask = |number, kid| {
            let mut asking = waiting(&world);
            world.answer(number, kid);
            assert_eq!(look(asking.as_mut()), Some(true));
        };
        ask(0, "a");
        world.replace(&policy(NAMED, "{}"));
        ask(1, "b");
        world.replace(&policy(NAMED, CLOSED));
        assert!(world.holds("b"));
    }

    #[test]
    fn a_fetch_that_was_taken_for_dead_undoes_nothing_that_a_later_one_has_brought() {
        for back in [0, -1000] {
            let world = Fake::new(&policy(FOUND, OPEN));
            let mut first = waiting(&world);
            world.pass(60);
            let mut second = waiting(&world);
            world.answer(1, "b");
            assert_eq!(look(second.as_mut()), Some(true));
            world.answer(0, "a");
            // There are others than before, though not its own.
            assert_eq!(look(first.as_mut()), Some(true));
            assert!(world.holds("b"), "{back}");
            // A later one counts, also by a clock that was set back.
            world.pass(60 + back);
            let mut third = waiting(&world);
            world.answer(2, "c");
            assert_eq!(look(third.as_mut()), Some(true));
            assert!(world.holds("c"), "{back}");
        }
    }

    #[test]
    fn a_fetch_that_was_taken_for_dead_ends_no_later_one() {
        let world = Fake::new(&policy(FOUND, OPEN));
        let mut first = waiting(&world);
        world.pass(60);
        let mut second = waiting(&world);
        world.answer(1, "b");
        assert_eq!(look(second.as_mut()), Some(true));
        assert!(!world.under_way());
        world.pass(60);
        let mut third = waiting(&world);
        world.answer(0, "a");
        assert!(look(first.as_mut()).is_some());
        assert!(world.under_way());
        world.answer(2, "c");
        assert_eq!(look(third.as_mut()), Some(true));
        assert!(!world.under_way() && world.holds("c"));
    }
}
