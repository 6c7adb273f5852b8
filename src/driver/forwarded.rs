//! The origin's view of a request, field by field.

use crate::gate::Forward;

/// What becomes of a request's fields on their way to the origin.
#[derive(Debug)]
pub(crate) struct View<'f> {
    forward: &'f Forward,
    /// The names of the fields that go, folded.
    gone: Vec<String>,
}

impl<'f> View<'f> {
    /// The view that a decision asks for.
    pub(crate) fn of(forward: &'f Forward) -> Self {
        let set = forward.set.iter().map(|(name, _)| name);
        let gone = forward.strip.iter().chain(set).map(|name| Forward::folded(name)).collect();
        View { forward, gone }
    }

    /// Whether the client's own field of that name goes.
    pub(crate) fn drops(&self, name: &str) -> bool {
        let name = Forward::folded(name);
        self.gone.contains(&name)
    }

    /// The fields to set, once the client's own are gone.
    pub(crate) fn set(&self) -> &'f [(String, String)] {
        &self.forward.set
    }

    /// The cookie that is taken out of `Cookie`, if one is.
    pub(crate) fn cookie(&self) -> Option<&'f str> {
        self.forward.strip_cookie.as_deref()
    }
}

/// The value of `Cookie` without one cookie; `None` when nothing is left of it.
pub(crate) fn without_cookie(value: &str, name: &str) -> Option<String> {
    let own = |cookie: &&str| cookie.split('=').next().is_none_or(|own| own.trim() != name);
    let kept: Vec<&str> = value.split(';').filter(own).map(str::trim).collect();
    let kept = kept.join("; ");
    if kept.is_empty() { None } else { Some(kept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_goes_in_every_spelling_of_its_name() {
        let forward = Forward {
            set: vec![("x-user".to_owned(), "ada".to_owned())],
            strip: vec!["authorization".to_owned()],
            strip_cookie: Some("session".to_owned()),
        };
        let view = View::of(&forward);
        for name in ["X-User", "x_user", "x.user", "Authorization"] {
            assert!(view.drops(name), "{name}");
        }
        assert!(!view.drops("x-users") && !view.drops("accept"));
        assert_eq!((view.set().len(), view.cookie()), (1, Some("session")));
    }

    #[test]
    fn one_cookie_is_taken_out_and_the_others_stay() {
        for (value, expected) in [
            ("session=1; theme=dark", Some("theme=dark")),
            ("a=1;session=2;b=3", Some("a=1; b=3")),
            ("session=1", None),
            ("xsession=1", Some("xsession=1")),
        ] {
            assert_eq!(without_cookie(value, "session").as_deref(), expected, "{value}");
        }
    }
}
