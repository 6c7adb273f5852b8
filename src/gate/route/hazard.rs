//! What in a path changes its structure for a server that decodes first or knows parameters.

/// A byte that is refused where routes decide, unless the route allows it.
#[derive(Clone, Copy, Debug)]
struct Hazard {
    /// Its name in the policy.
    name: &'static str,
    /// How it stands in a path in its normal form.
    spellings: &'static [&'static str],
    bit: u8,
}

/// The order is that of their names' bytes.
const HAZARDS: [Hazard; 6] = [
    // Behind it a fragment begins, or a query, for who decodes before splitting.
    Hazard { name: "%23", spellings: &["%23"], bit: 1 },
    // What is behind it may be an escape for who decodes twice.
    Hazard { name: ESCAPED_PERCENT, spellings: &[ESCAPED_PERCENT], bit: 2 },
    Hazard { name: "%2F", spellings: &["%2F"], bit: 4 },
    Hazard { name: "%3F", spellings: &["%3F"], bit: 8 },
    // A slash, for some.
    Hazard { name: "%5C", spellings: &["%5C"], bit: 16 },
    // A parameter begins (RFC 3986 §3.3), which servlet containers remove before they look for a
    // route.
    Hazard { name: ";", spellings: &[";", "%3B"], bit: 32 },
];

const ESCAPED_PERCENT: &str = "%25";

/// Some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hazards(u8);

impl Hazards {
    /// Those that stand in a path whose escapes are in their normal form.
    pub(super) fn in_path(path: &str) -> Self {
        Self::those(|hazard| hazard.spellings.iter().any(|spelling| path.contains(spelling)))
    }

    /// Those of these names.
    pub(crate) fn named(names: &[String]) -> Self {
        Self::those(|hazard| names.iter().any(|name| name == hazard.name))
    }

    fn those(wanted: impl Fn(&Hazard) -> bool) -> Self {
        Hazards(HAZARDS.iter().filter(|hazard| wanted(hazard)).fold(0, |bits, hazard| bits | hazard.bit))
    }

    pub(super) fn and(self, other: Self) -> Self {
        Hazards(self.0 | other.0)
    }

    pub(super) fn has_escaped_percent(self) -> bool {
        self.names().any(|name| name == ESCAPED_PERCENT)
    }

    /// Are they all among the others?
    pub(crate) fn are_among(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        HAZARDS.iter().filter(move |hazard| self.0 & hazard.bit != 0).map(|hazard| hazard.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_policy_are_those_of_the_table() {
        assert_eq!(HAZARDS.map(|hazard| hazard.name), crate::policy::shapes::IN_PATHS);
    }
}
