//! Which server's pages are shown, and where: what `--browser` is told.

use std::fmt;
use std::str::FromStr;

/// `3000`, `3000:8080`, `:8080`, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ports {
    /// Where the server listens. None: that is found out.
    pub(crate) server: Option<u16>,
    /// Where its pages are shown. None: follows from where the server listens.
    pub(super) pages: Option<u16>,
}

/// Why a text stands for no ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotPorts;

impl fmt::Display for NotPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it has to be the server's port (`3000`), or that and the one for its pages (`3000:8080`)")
    }
}

impl FromStr for Ports {
    type Err = NotPorts;

    fn from_str(text: &str) -> Result<Self, NotPorts> {
        let port = |text: &str| match text.parse() {
            Ok(0) | Err(_) => Err(NotPorts),
            Ok(port) => Ok(Some(port)),
        };
        let ports = match text.split_once(':') {
            None => Self {
                server: port(text)?,
                pages: None,
            },
            Some(("", pages)) => Self {
                server: None,
                pages: port(pages)?,
            },
            Some((server, pages)) => Self {
                server: port(server)?,
                pages: port(pages)?,
            },
        };
        match ports.server.is_some() && ports.server == ports.pages {
            true => Err(NotPorts),
            false => Ok(ports),
        }
    }
}

impl Ports {
    /// Where the pages of the server at this port are shown: 13000 for 3000. None of these is a
    /// port that browsers refuse.
    pub(super) fn pages_of(self, server: u16) -> u16 {
        self.pages.unwrap_or(match server {
            0..1024 => server + 8000,
            1024..55536 => server + 10_000,
            55536.. => server - 10_000,
        })
    }

    /// The same, as far as it is known before a server is found.
    pub(super) fn pages(self) -> Option<u16> {
        let of_server = self.server.map(|server| self.pages_of(server));
        self.pages.or(of_server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_understood() {
        let ports = |server, pages| Ok(Ports { server, pages });
        for (text, expected) in [
            ("3000", ports(Some(3000), None)),
            ("3000:8080", ports(Some(3000), Some(8080))),
            (":8080", ports(None, Some(8080))),
            ("", Err(NotPorts)),
            (":", Err(NotPorts)),
            ("3000:", Err(NotPorts)),
            ("0", Err(NotPorts)),
            ("65536", Err(NotPorts)),
            ("3000:3000", Err(NotPorts)),
            ("localhost:3000", Err(NotPorts)),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }

    #[test]
    fn where_pages_are_shown() {
        let of = |text: &str| text.parse::<Ports>().expect("ports").pages();
        for (text, pages) in [
            ("3000", Some(13_000)),
            ("80", Some(8080)),
            ("60000", Some(50_000)),
            ("3000:9", Some(9)),
            (":9", Some(9)),
        ] {
            assert_eq!(of(text), pages, "{text}");
        }
        assert_eq!(Ports::default().pages(), None);
        assert_eq!(Ports::default().pages_of(8080), 18_080);
    }
}
