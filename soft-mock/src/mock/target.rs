//! Which function is meant: the function itself, its name, one of std; or why it can't be mocked.
//!
//! Knows nothing of what is done with it.

use std::any::type_name;

use soft_mock_abi::site::Site;
use soft_mock_abi::std_calls::ident;
use soft_mock_runtime::names;
use soft_mock_runtime::registry::{find, registry, sites, FindError};

use super::{instances, items, std_places, MockError};

/// Which function a mock is for, as `mock!` gives it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Several for a function of std: each crate that calls it has one.
    sites: Vec<&'static Site>,
}

impl Target {
    /// A function that is given as itself: whatever its path says, the compiler knows which.
    pub fn item<F>(function: &F) -> Result<Self, MockError> {
        let name = type_name::<F>();
        if let Some(function) = redirected(name) {
            return Self::of_std(function);
        }
        match items::sites(function) {
            [] => match instances::find(function)? {
                Some(site) => Ok(Self::one(site)),
                None => Err(no_item(name)),
            },
            [site] if !is_std(site.name()) => Ok(Self::one(site)),
            [site, ..] if is_std(site.name()) => Self::of_std(site.name()),
            several => {
                // `hot` and the attribute have each put a site into one function.
                let mut rewritten = several.iter().filter(|site| site.unit() != 0);
                match (rewritten.next(), rewritten.next()) {
                    (Some(site), None) => Ok(Self::one(site)),
                    _ => Err(registry()?.ambiguous(name, several).into()),
                }
            }
        }
    }

    /// A function that is given by its name.
    pub fn name(name: &str) -> Result<Self, MockError> {
        let name = &name.replace("r#", "");
        let plain = name.trim_start_matches("::");
        if is_std(plain) {
            return Self::of_std(plain);
        }
        match find(name) {
            Ok(site) => Ok(Self::one(site)),
            Err(error) => Err(known_refusal(name, Given::Name, error)),
        }
    }

    pub(super) fn sites(&self) -> &[&'static Site] {
        &self.sites
    }

    /// Whether it is a function of the standard library.
    pub(super) fn is_of_std(&self) -> bool {
        self.sites.first().is_some_and(|site| is_std(site.name()))
    }

    fn one(site: &'static Site) -> Self {
        Self { sites: vec![site] }
    }

    /// What stands in for a function of the standard library, in each crate. An error if there is
    /// code that doesn't go there: a mock that some calls don't see is worse than none.
    fn of_std(name: &str) -> Result<Self, MockError> {
        let sites: Vec<_> = sites().filter(|site| site.name() == name).collect();
        let Some(first) = sites.first() else {
            return Err(known_refusal(name, Given::Name, unknown(name)));
        };
        let name = first.name();
        let known = std_places::of(name);
        if !known.missed.is_empty() {
            let places = known.missed.iter().map(|place| (*place).to_owned());
            return Err(MockError::Missed {
                name,
                places: places.collect(),
            });
        }
        match (known.is_unread, known.is_reached) {
            (true, _) => Err(MockError::Unread { name }),
            (false, false) => Err(MockError::Uncalled { name }),
            (false, true) if !known.has_root => Err(MockError::Rootless { name }),
            (false, true) => Ok(Self { sites }),
        }
    }
}

fn is_std(name: &str) -> bool {
    let starts = ["std::", "core::", "alloc::"];
    starts.iter().any(|start| name.starts_with(start))
}

/// The function of std whose path was redirected where it was given: `reset(SystemTime::now)`.
fn redirected(name: &str) -> Option<&'static str> {
    let (_, function) = name.split_once("::__soft_mock::std_")?;
    let function = format!("std_{}", function.split('<').next().unwrap_or_default());
    let site = sites().find(|site| ident(site.name()) == function)?;
    Some(site.name())
}

fn unknown(name: &str) -> FindError {
    let nearest = registry().map(|registry| registry.nearest(name));
    FindError::Unknown {
        name: name.to_owned(),
        nearest: nearest.unwrap_or_default(),
    }
}

/// Why a function that is given as itself has no site. Only for the message, its name is looked
/// for.
fn no_item(name: &'static str) -> MockError {
    if !names::is_function(name) {
        return FindError::NotAFunction { type_name: name }.into();
    }
    if is_std(name) {
        let redirected = sites().find(|site| names::is_of_std(site.name(), name));
        if let Some(site) = redirected {
            return MockError::ByName { name: site.name() };
        }
    }
    let mut untyped = sites().filter(|site| !items::is_known(site));
    let untyped = untyped.find(|site| site.name() == name || names::is_same(site.name(), name));
    match untyped {
        Some(site) => MockError::NoType {
            name: site.name(),
            signature: site.signature(),
        },
        None => match known_refusal(name, Given::Item, unknown(name)) {
            MockError::Find(FindError::Unknown { .. }) if is_rewritten(name) => {
                MockError::Unwritten { name }
            }
            error => error,
        },
    }
}

/// Whether `hot` has seen the sources of the crate that a name begins with.
fn is_rewritten(name: &str) -> bool {
    sites().any(|site| site.crate_name() == krate(name))
}

/// The crate that a name begins with.
fn krate(name: &str) -> &str {
    let start = name.trim_start_matches(['<', '&', ':']);
    let end = start.find(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
    &start[..end.unwrap_or(start.len())]
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
    if let Some(reason) = std_places::unmodified(krate(name)) {
        return MockError::Unmodified {
            name: name.to_owned(),
            reason,
        };
    }
    match (has_instances(registry.all(), name), given) {
        (Some(_), Given::Item) => MockError::NoInstance {
            name: name.to_owned(),
        },
        (Some(name), Given::Name) => MockError::Instances { name },
        (None, _) if is_unnamed(registry.all(), name) => MockError::Unnamed {
            name: name.to_owned(),
        },
        (None, _) => error.into(),
    }
}

/// A function of this name that has no site; its signature says why.
fn refused(all: &'static [Site], name: &str) -> Option<&'static Site> {
    let is_it = |site: &&Site, name: &str| site.name() == name || names::is_same(site.name(), name);
    let refused = |name: &String| {
        let mut refused = all.iter().filter(|site| site.is_refused());
        refused.find(|site| is_it(site, name))
    };
    spellings(name).iter().find_map(refused)
}

/// What the rewriter may call a function: `app::any` for its instance `app::any<u8>`, and
/// `app::Get::get` for `<app::Store as app::Get>::get`, if that is the trait's own.
fn spellings(name: &str) -> Vec<String> {
    let without = |name: &str| name.split('<').next().unwrap_or_default().to_owned();
    let Some((owner, method)) = name.rsplit_once(">::").filter(|_| name.starts_with('<')) else {
        return vec![without(name)];
    };
    let method = without(method);
    let mut spellings = vec![format!("{owner}>::{method}")];
    if let Some((_, of)) = owner.rsplit_once(" as ") {
        spellings.push(format!("{}::{method}", without(of)));
    }
    spellings
}

/// Whether it is a function that nothing named where it is mocked.
fn is_unnamed(all: &'static [Site], name: &str) -> bool {
    // Instances, as above.
    let function = name.split_once('<').map_or(name, |(function, _)| function);
    let mut unnamed = all.iter().flat_map(Site::unnamed);
    unnamed.any(|known| known == name || known == function || names::is_same(known, name))
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

#[cfg(test)]
mod tests {
    use super::spellings;

    #[test]
    fn as_the_rewriter_calls_it() {
        assert_eq!(spellings("app::any<u8>"), ["app::any"]);
        assert_eq!(
            spellings("<app::Smtp as app::Mail<u8>>::send<'_, u8>"),
            ["<app::Smtp as app::Mail<u8>>::send", "app::Mail::send"]
        );
    }
}
