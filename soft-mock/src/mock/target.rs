//! Which function is meant: the function itself, its name, one of std; or why it can't be mocked.
//!
//! Knows nothing of what is done with it.

use std::any::type_name;

use soft_mock_abi::site::Site;

use super::MockError;
use crate::registry::{find, find_item, registry, FindError};

/// Which function a mock is for, as `mock!` gives it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Several for a function of std: each crate that calls it has one.
    sites: Vec<&'static Site>,
}

impl Target {
    /// A function that is given as itself.
    pub fn item<F>(function: &F) -> Result<Self, MockError> {
        let name = type_name::<F>();
        match of_std(name)? {
            Some(sites) => Ok(Self { sites }),
            None => find_item(function)
                .map(Self::one)
                .map_err(|error| known_refusal(name, Given::Item, error)),
        }
    }

    /// A function that is given by its name.
    pub fn name(name: &str) -> Result<Self, MockError> {
        match of_std(name)? {
            Some(sites) => Ok(Self { sites }),
            None => find(name)
                .map(Self::one)
                .map_err(|error| known_refusal(name, Given::Name, error)),
        }
    }

    pub(super) fn sites(&self) -> &[&'static Site] {
        &self.sites
    }

    fn one(site: &'static Site) -> Self {
        Self { sites: vec![site] }
    }
}

/// The calls of a function of the standard library that were redirected, if there are any. An error if there
/// are others: a mock that some calls don't see is worse than none.
fn of_std(name: &str) -> Result<Option<Vec<&'static Site>>, MockError> {
    if let Some((_, function)) = name.split_once("::__soft_mock::std_") {
        // The path of the function was redirected where it was given.
        let function = format!("std_{}", function.split('<').next().unwrap_or_default());
        let mut sites = crate::sites();
        let known = sites.find(|site| site.name().replace("::", "_") == function);
        return known.map_or(Ok(None), |site| of_std(site.name()));
    }
    let name = name.trim_start_matches("::");
    let std = ["std::", "core::", "alloc::"]
        .iter()
        .any(|start| name.starts_with(start));
    if !std {
        return Ok(None);
    }
    let unseen = registry()?.unseen();
    if let Some(site) = unseen.into_iter().find(|site| is_std(site.name(), name)) {
        return Err(MockError::Unseen {
            name: site.name(),
            place: site.place(),
            reason: site.signature(),
        });
    }
    let sites: Vec<_> = crate::sites()
        .filter(|site| is_std(site.name(), name))
        .collect();
    Ok((!sites.is_empty()).then_some(sites))
}

/// Whether two names mean one function of the standard library: the compiler's has private modules in it
/// as well, `std::thread::functions::sleep`.
fn is_std(site: &str, name: &str) -> bool {
    let mut rest = name.split("::");
    let within = site
        .split("::")
        .all(|segment| rest.any(|other| other == segment));
    within && rest.next().is_none() && name.split("::").next() == site.split("::").next()
}

/// Why a function has no site, where the rewriter left word of it. `given` is how it was named.
fn known_refusal(name: &str, given: Given, error: FindError) -> MockError {
    let (Ok(registry), FindError::Unknown { .. }) = (registry(), &error) else {
        return error.into();
    };
    if let Some((name, reason)) = registry.refused(name) {
        return MockError::Refused { name, reason };
    }
    match (registry.has_instances_of(name), given) {
        (Some(_), Given::Item) => MockError::NoInstance {
            name: name.to_owned(),
        },
        (Some(name), Given::Name) => MockError::Instances { name },
        (None, _) => error.into(),
    }
}

/// How a function is named.
#[derive(Clone, Copy)]
enum Given {
    Item,
    Name,
}
