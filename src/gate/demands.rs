//! All that is asked of one request. Where servers read a path in several ways, what every reading
//! asks for has to hold.

use crate::{
    binding::network::Address,
    denial::Denial,
    gate::requirement::{Requirement, Subject, Wanted},
    time::Validity,
};

/// Requirements of which each must hold; none of them for a request that is public.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demands<'g>(Vec<&'g Requirement>);

impl<'g> Demands<'g> {
    /// One requirement.
    pub(crate) fn of(requirement: &'g Requirement) -> Self {
        Demands(vec![requirement])
    }

    /// Adds a requirement that is not there yet.
    pub(crate) fn add(&mut self, requirement: &'g Requirement) {
        if !self.0.iter().any(|own| core::ptr::eq(*own, requirement)) {
            self.0.push(requirement);
        }
    }

    /// The requirements.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'g Requirement> {
        self.0.iter().copied()
    }

    /// Nothing is asked for.
    pub(crate) fn is_public(&self) -> bool {
        self.0.is_empty()
    }

    /// May a request without credentials pass? Only where each requirement lets it.
    pub(crate) fn are_anonymous(&self) -> bool {
        self.0.iter().all(|requirement| requirement.anonymous)
    }

    /// The kinds of proof that are asked for.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = Wanted> {
        self.0.iter().filter_map(|requirement| requirement.binding)
    }

    /// Judges by what does not rest on a token: where the request comes from.
    ///
    /// # Errors
    /// As [`Requirement::check_connection`].
    pub(crate) fn check_connection(&self, client: Option<Address>) -> Result<(), Denial> {
        self.0.iter().try_for_each(|requirement| requirement.check_connection(client))
    }

    /// Judges by each; `validity` is narrowed to when all of them hold.
    ///
    /// # Errors
    /// As [`Requirement::check`].
    pub(crate) fn check(&self, subject: &Subject<'_>, validity: Validity) -> Result<Validity, Denial> {
        self.0.iter().try_fold(validity, |validity, requirement| requirement.check(subject, validity))
    }
}
