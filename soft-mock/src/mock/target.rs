//! Which function is meant: the function itself, its name, one of std; or why it can't be mocked.
//!
//! Knows nothing of what is done with it.

use std::any::type_name;

use soft_mock_abi::site::Site;
use soft_mock_runtime::names;
use soft_mock_runtime::registry::{find, registry, sites, FindError};

use super::{instances, MockError};

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
            None => match instances::find(function)? {
                Some(site) => Ok(Self::one(site)),
                None => registry()?
                    .find_item(name)
                    .map(Self::one)
                    .map_err(|error| known_refusal(name, Given::Item, error)),
            },
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

/// The calls of a function of the standard library that were redirected, if there are any. An error
/// if there are others: a mock that some calls don't see is worse than none.
fn of_std(name: &str) -> Result<Option<Vec<&'static Site>>, MockError> {
    if let Some((_, function)) = name.split_once("::__soft_mock::std_") {
        // The path of the function was redirected where it was given.
        let function = format!("std_{}", function.split('<').next().unwrap_or_default());
        let known = sites().find(|site| site.name().replace("::", "_") == function);
        return known.map_or(Ok(None), |site| of_std(site.name()));
    }
    let name = name.trim_start_matches("::");
    let std = ["std::", "core::", "alloc::"]
        .iter()
        .any(|start| name.starts_with(start));
    if !std {
        return Ok(None);
    }
    let mut unseen = registry()?.all().iter().filter(|site| site.is_unseen());
    if let Some(site) = unseen.find(|site| is_std(site.name(), name)) {
        return Err(MockError::Unseen {
            name: site.name(),
            place: site.place(),
            reason: site.signature(),
        });
    }
    let sites: Vec<_> = sites().filter(|site| is_std(site.name(), name)).collect();
    Ok((!sites.is_empty()).then_some(sites))
}

/// Whether two names mean one function of the standard library: the compiler's has private modules
/// in it as well, `std::thread::functions::sleep`.
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
    if let Some(site) = refused(registry.all(), name) {
        return MockError::Refused {
            name: site.name(),
            reason: site.signature(),
        };
    }
    match (has_instances(registry.all(), name), given) {
        (Some(_), Given::Item) => MockError::NoInstance {
            name: name.to_owned(),
        },
        (Some(name), Given::Name) => MockError::Instances { name },
        (None, _) => error.into(),
    }
}

/// A function of this name that has no site; its signature says why.
fn refused(all: &'static [Site], name: &str) -> Option<&'static Site> {
    // `app::any::<u8>` is an instance of what the rewriter calls `app::any`.
    let name = match name.split_once('<') {
        Some((function, _)) if !function.is_empty() => function,
        _ => name,
    };
    let mut refused = all.iter().filter(|site| site.is_refused());
    refused.find(|site| site.name() == name || names::is_same(site.name(), name))
}

/// Whether there are instances of a function of this name, the one of this name not among them.
fn has_instances(all: &'static [Site], name: &str) -> Option<&'static str> {
    let mut shared = all.iter().filter(|site| site.has_instances());
    let site = shared.find(|site| names::is_instance(site.name(), name))?;
    Some(site.name())
}

/// How a function is named.
#[derive(Clone, Copy)]
enum Given {
    Item,
    Name,
}
