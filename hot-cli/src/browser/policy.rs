//! Whether a page's `Content-Security-Policy` lets the script in. It is never changed: a page under
//! `hot` shows what the policy keeps out, as it does without.

/// What of a policy matters to the script.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It runs, and may ask; with this nonce, if there is one.
    Allowed(Option<String>),
    /// It can't run, or can't ask what to do.
    Refused,
}

/// The verdict of all policies of a page that is shown at this host (`localhost:13000`).
pub(super) fn verdict<'a>(headers: impl Iterator<Item = &'a str>, host: &str) -> Verdict {
    let mut nonce = None;
    for policy in headers.flat_map(|header| header.split(',')) {
        let policy = Policy(policy);
        let scripts = policy.first(&["script-src-elem", "script-src", "default-src"]);
        let own = scripts.as_deref().and_then(nonce_of);
        let runs = scripts.is_none_or(|sources| match own {
            Some(_) => true,
            None => !sources.contains(&"'strict-dynamic'") && lists(&sources, host),
        });
        let asks = policy.first(&["connect-src", "default-src"]);
        let asks = asks.is_none_or(|sources| lists(&sources, host));
        let free = policy.first(&["sandbox"]).is_none_or(|allowed| {
            ["allow-scripts", "allow-same-origin"]
                .iter()
                .all(|word| allowed.contains(word))
        });
        if !(runs && asks && free) {
            return Verdict::Refused;
        }
        nonce = nonce.or(own.map(str::to_owned));
    }
    Verdict::Allowed(nonce)
}

/// Directives with their words: `default-src 'self'; img-src *`.
struct Policy<'a>(&'a str);

impl<'a> Policy<'a> {
    /// The words of the first of these that is there.
    fn first(&self, names: &[&str]) -> Option<Vec<&'a str>> {
        let of = |name: &str| {
            self.0.split(';').find_map(|directive| {
                let mut words = directive.split_ascii_whitespace();
                let is_it = words.next()?.eq_ignore_ascii_case(name);
                is_it.then(|| words.collect())
            })
        };
        names.iter().find_map(|name| of(name))
    }
}

fn nonce_of<'a>(sources: &[&'a str]) -> Option<&'a str> {
    let mut nonces = sources
        .iter()
        .filter_map(|source| source.strip_prefix("'nonce-")?.strip_suffix('\''));
    // It goes into an attribute.
    nonces.find(|nonce| {
        nonce
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte))
    })
}

/// Whether the page's own origin is among the sources.
fn lists(sources: &[&str], host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let own = [
        "'self'".to_owned(),
        "*".to_owned(),
        "http:".to_owned(),
        host.to_owned(),
        format!("{name}:*"),
        format!("http://{host}"),
        format!("http://{name}:*"),
    ];
    let is_own = |source: &&str| own.iter().any(|own| own.eq_ignore_ascii_case(source));
    sources.iter().any(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[&str], expected: Verdict) {
        let found = verdict(headers.iter().copied(), "localhost:13000");
        assert_eq!(found, expected, "{headers:?}");
    }

    #[test]
    fn policies_that_let_it_in() {
        for headers in [
            &[][..],
            &["default-src 'self'"],
            &["default-src 'none'; script-src 'self'; connect-src 'self'"],
            &["img-src 'none'", "script-src http://localhost:*"],
            &["default-src *, connect-src http:"],
            &["sandbox allow-scripts allow-same-origin"],
            &["Script-Src 'SELF'"],
        ] {
            check(headers, Verdict::Allowed(None));
        }
        let nonce = || Verdict::Allowed(Some("r4nd0m=".into()));
        check(&["script-src 'nonce-r4nd0m=' 'strict-dynamic'"], nonce());
        check(
            &["default-src 'self'", "script-src 'nonce-r4nd0m='"],
            nonce(),
        );
    }

    #[test]
    fn policies_that_do_not() {
        for headers in [
            &["default-src 'none'"][..],
            &["script-src 'self'; connect-src 'none'"],
            &["script-src 'self'; script-src-elem https://cdn.example"],
            &["script-src 'self' 'strict-dynamic'"],
            &["default-src 'self'", "script-src 'sha256-abc'"],
            &["default-src 'self', default-src 'none'"],
            &["sandbox allow-scripts"],
            &["script-src 'nonce-\"onload=x'"],
            &["script-src http://localhost:3000"],
        ] {
            check(headers, Verdict::Refused);
        }
    }
}
