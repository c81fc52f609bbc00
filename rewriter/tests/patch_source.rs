//! Compiles plugins for real: a crate, its twin, and a plugin with changed functions of it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use soft_mock_rewriter::analysis::FileItems;
use soft_mock_rewriter::instrument::{rewrite, CrateIdentity, Options, Output};
use soft_mock_rewriter::patch_source::{
    patch_source, PatchFunction, PatchRequest, PatchSource, PatchedCrate,
};
use soft_mock_rewriter::syntax::{CrateTree, Edition};

/// A crate in a folder of its own, with its twin compiled.
struct Host {
    folder: PathBuf,
    files: Vec<Arc<FileItems>>,
    texts: HashMap<PathBuf, String>,
    hidden: Vec<soft_mock_rewriter::analysis::Hidden>,
    edition: &'static str,
}

impl Host {
    fn new(name: &str, edition: &'static str, files: &[(&str, &str)]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        let texts: HashMap<PathBuf, String> = files
            .iter()
            .map(|(path, text)| (Path::new("/user/app/src").join(path), (*text).to_owned()))
            .collect();
        let mut read = |path: &Path| {
            let text = texts.get(path).cloned();
            text.ok_or_else(|| std::io::ErrorKind::NotFound.into())
        };
        let tree = CrateTree::load(Path::new("/user/app/src/lib.rs"), &mut read).expect("a root");
        assert_eq!(tree.errors, []);
        let rewritten = rewrite(&tree, &options(edition));
        for (path, text) in &rewritten.files {
            write(
                &folder
                    .join("twin")
                    .join(path.strip_prefix("/").expect("absolute")),
                text,
            );
        }
        let host = Self {
            files: tree
                .files
                .iter()
                .map(|file| Arc::new(FileItems::of_source(file)))
                .collect(),
            hidden: rewritten.hidden,
            texts,
            edition,
            folder,
        };
        let root = host.folder.join("twin/user/app/src/lib.rs");
        let mut rustc = host.rustc(&root);
        rustc.args(["--emit=metadata,mir=/dev/null", "-Cmetadata=twin", "-o"]);
        run(rustc.arg(host.folder.join("libtwin.rmeta")));
        host
    }

    fn rustc(&self, root: &Path) -> Command {
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc
            .args(["--crate-name=app", "--crate-type=lib", "--cap-lints=allow"])
            .args(["-Csymbol-mangling-version=v0", "-Cdebuginfo=0"])
            .arg(format!("--edition={}", self.edition))
            .arg(root);
        rustc
    }

    /// A plugin with the functions that `wanted` picks by their site's name.
    fn plugin(&self, wanted: &dyn Fn(&str) -> bool, not_send: bool) -> PatchSource {
        let mut functions = Vec::new();
        for (file, items) in self.files.iter().enumerate() {
            for (function, found) in items.functions.iter().enumerate() {
                if found.kind.is_ok() && wanted(&found.site_name("app")) {
                    functions.push(PatchFunction {
                        file,
                        function,
                        not_send,
                        typed: true,
                        added: false,
                    });
                }
            }
        }
        let options = PatchedCrate {
            crate_name: "app".to_owned(),
            edition: Edition::parse(self.edition),
            unit: 7,
            rustc: "rustc 1".to_owned(),
        };
        patch_source(&PatchRequest {
            options: &options,
            files: &self.files,
            text: &|path| self.texts.get(path).map(String::as_str),
            hidden: &self.hidden,
            functions: &functions,
            additions: &[],
            shown: &|path| path.display().to_string(),
        })
        .expect("sources")
    }

    /// Compiles a plugin; what rustc says if it fails.
    fn compile(&self, name: &str, source: &PatchSource) -> Result<(), String> {
        let folder = self.folder.join(name);
        for (path, text) in &source.files {
            write(&folder.join(path), text);
        }
        let mut rustc = self.rustc(&folder.join(&source.files[0].0));
        rustc
            .arg(format!(
                "--extern=__hot_host={}",
                self.folder.join("libtwin.rmeta").display()
            ))
            .arg(format!("--remap-path-prefix={}=/", folder.display()))
            .args(["--emit=obj", "-Cmetadata=plugin", "-Ccodegen-units=1", "-o"])
            .arg(folder.join("plugin.o"));
        let output = rustc.output().expect("rustc starts");
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// Every function of the crate compiles alone, and all of them together.
    fn check_all(&self) {
        let all: HashSet<String> = self
            .files
            .iter()
            .flat_map(|items| &items.functions)
            .filter(|function| function.kind.is_ok())
            .map(|function| function.site_name("app"))
            .collect();
        assert!(!all.is_empty());
        let together = self.plugin(&|_| true, false);
        if let Err(message) = self.compile("together", &together) {
            for (position, one) in all.iter().enumerate() {
                let source = self.plugin(&|name| name == one, false);
                if let Err(message) = self.compile(&format!("one{position}"), &source) {
                    panic!("{one}: {message}\n{:#?}", source.files);
                }
            }
            panic!("{message}\n{}", together.files[0].1);
        }
    }
}

fn options(edition: &str) -> Options {
    Options {
        output: Output::Twin,
        edition: Edition::parse(edition),
        facts: CrateIdentity {
            unit: 7,
            name: "app".to_owned(),
            rustc: "rustc 1".to_owned(),
            hot: true,
        },
        check: soft_mock_rewriter::instrument::PrologueCheck::Assembly,
        ..Options::default()
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

fn run(command: &mut Command) {
    let output = command.output().expect("rustc starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{errors}");
}

const LIB: &str = r#"//! A crate.
use std::collections::HashMap;
use std::fmt::{self, Display, Write as _};
use store::inner::Deep;

macro_rules! double { ($x:expr) => { twice!($x) }; }
macro_rules! twice { ($x:expr) => { $x * 2 }; }
#[macro_export] macro_rules! exported { ($x:expr) => { $x + 1 }; }

pub mod store;
mod codec { pub(crate) use crate::store::Store as Renamed; pub fn encode(n: u32) -> u32 { exported!(n) } }
mod asynchronous;

pub struct Reader<'a> { text: &'a str, count: u32 }
struct Hidden(u32);
static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

pub fn free(a: u32) -> u32 { COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst); private(a) + double!(a) }
fn private(a: u32) -> u32 { if a == 0 { 0 } else { private(a - 1) + codec::encode(a) } }
pub unsafe extern "C" fn foreign(a: *const u8) -> u8 { *a }
fn pattern((a, b): (u8, u8), [c, ..]: [u8; 3], _: &str, mut d: u8) -> u8 { d += 1; a + b + c + d }
fn formatted(n: u32) -> String { let mut s = String::new(); write!(s, "{n}").ok(); s }
fn uses_renamed(s: &codec::Renamed) -> usize { s.len() }
fn never() -> ! { panic!("{}", line!()) }
fn deep(d: &Deep) -> u32 { d.depth + store::inner::depth(d) }
fn borrowed<'b>(a: &'b str, _b: &str) -> &'b str { a }
fn bounded<'x, 'y: 'x>(a: &'x str, b: &'y str) -> &'x str { if a.is_empty() { b } else { a } }
fn boxed(f: Box<dyn Fn(u32) -> u32 + Send>) -> u32 { f(1) }
fn hidden(h: Hidden) -> Hidden { let Hidden(n) = h; Hidden(n + 1) }

impl<'a> Reader<'a> {
    const LIMIT: usize = 3;
    pub fn new(text: &'a str) -> Self { Reader { text, count: 0 } }
    fn next(&mut self) -> Option<&'a str> { self.count += 1; if self.count as usize > Self::LIMIT { None } else { Some(self.text) } }
    fn consume(mut self) -> (Self, u32) { self.count += 1; let c = self.count; (self, c) }
    fn boxed(self: Box<Self>) -> u32 { self.count }
    fn other(a: &Self, b: Self) -> bool { a.text == b.text }
}

impl Iterator for Reader<'_> {
    type Item = u32;
    fn next(&mut self) -> Option<Self::Item> { let n: Self::Item = self.count; Reader::next(self).map(|_| n) }
}

impl<'a> From<&'a str> for Reader<'a> {
    fn from(text: &'a str) -> Self { Self::new(text) }
}

impl PartialEq<&str> for Reader<'_> {
    fn eq(&self, other: &&str) -> bool { self.text == *other && !self.ne(other) }
}

impl Hidden {
    const LENGTH: usize = 2;
    fn array(&self, _: [u8; Self::LENGTH]) -> [u8; Self::LENGTH] { [0; Self::LENGTH] }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { if self.0 > 9 { Hidden(1).fmt(f) } else { write!(f, "{}", self.0) } }
}

impl std::str::FromStr for Hidden {
    type Err = std::num::ParseIntError;
    fn from_str(s: &str) -> Result<Self, Self::Err> { s.parse().map(Hidden) }
}

impl Drop for Hidden { fn drop(&mut self) { self.0 = 0; } }
"#;

const STORE: &str = r#"use super::*;
use crate::codec;
pub struct Store { map: HashMap<String, u32>, last: Option<Box<Store>> }
#[derive(Default)] pub enum State { #[default] Empty, Full { n: u32 } }
use State::*;

impl Store {
    pub fn len(&self) -> usize { self.map.len() }
    fn put(&mut self, key: &str,
        #[allow(unused)] value: u32)
        -> Option<u32>
    {
        let value = codec::encode(value) + self::inner::depth(&inner::Deep { depth: 1 });
        self.map.insert(key.to_owned(), value)
    }
    fn state(&self) -> State { if self.map.is_empty() { Empty } else { Full { n: super::private(1) } } }
    fn show(&self) -> String { format!("{} {}", Hidden(1), crate::store::inner::depth(&Deep { depth: 2 })) }
}

#[cfg(unix)]
pub mod inner {
    pub struct Deep { pub(super) depth: u32 }
    pub trait Depth { type Out; const ZERO: u32; fn depth(&self) -> Self::Out; }
    impl Depth for Deep { type Out = u32; const ZERO: u32 = 0; fn depth(&self) -> Self::Out { self.depth + Self::ZERO } }
    pub(crate) fn depth(d: &Deep) -> u32 { d.depth() }
    #[inline] #[must_use] pub fn sum(a: &[Deep]) -> u32 {
        a.iter().map(|d| super::super::private(d.depth)).sum()
    }
}
"#;

const ASYNCHRONOUS: &str = r#"use std::future::Future;
use std::rc::Rc;
pub struct Client { name: String }
pub async fn plain(a: u32) -> u32 { a + 1 }
pub async fn borrowing<'a>(a: &'a str, _b: &str) -> &'a str { std::future::ready(()).await; a }
async fn forever() -> ! { loop { std::future::ready(()).await } }
impl Client {
    pub async fn name(&self) -> &str { &self.name }
    async fn rename(&mut self, (a, b): (&str, &str)) -> Result<(), std::fmt::Error> { self.name = format!("{a}{b}"); self.name().await; Ok(()) }
    async unsafe fn own(mut self) -> Self { self.name.clear(); self }
}
"#;

#[test]
fn functions_of_all_kinds_compile() {
    for edition in ["2021", "2024"] {
        let host = Host::new(
            &format!("all{edition}"),
            edition,
            &[
                ("lib.rs", LIB),
                ("store.rs", STORE),
                ("asynchronous.rs", ASYNCHRONOUS),
            ],
        );
        host.check_all();
    }
}

#[test]
fn edition_2015() {
    let lib = "extern crate core as kern; pub mod a; fn root() -> u8 { a::one() }";
    let a = "use a::b::two; use std::fmt; pub mod b { use kern::cmp; pub fn two() -> u8 { ::root() + cmp::min(1, 2) } }\npub fn one() -> u8 { use std::mem; two() + mem::size_of::<u8>() as u8 }\nstruct S; impl fmt::Debug for S { fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result { f.write_str(\"S\") } }";
    Host::new("e2015", "2015", &[("lib.rs", lib), ("a.rs", a)]).check_all();
    // Whether it has the standard library is for `cfg` to say.
    let lib = "pub mod a { pub fn one() -> u8 { 1 } } fn root() -> u8 { a::one() }";
    for (name, condition) in [("with", "any()"), ("without", "not(any())")] {
        let lib = format!("#![cfg_attr({condition}, no_std)] {lib}");
        Host::new(&format!("e2015_{name}_std"), "2015", &[("lib.rs", &lib)]).check_all();
    }
}

#[test]
fn a_future_must_be_send_where_the_original_is() {
    let lib = "use std::rc::Rc;\npub async fn sends() { let r = 1; std::future::ready(()).await; drop(r) }\npub async fn stays() { let r = Rc::new(1); std::future::ready(()).await; drop(r) }\npub struct S; impl S { pub async fn stays_too(&self) { stays().await } }";
    let host = Host::new("send", "2021", &[("lib.rs", lib)]);
    let compile = |name: &str, not_send| {
        let source = host.plugin(&|site| site == format!("app::{name}"), not_send);
        host.compile(&format!("{not_send}{}", name.replace("::", "_")), &source)
    };
    assert_eq!(compile("sends", false), Ok(()));
    assert_eq!(compile("stays", true), Ok(()));
    assert_eq!(compile("S::stays_too", true), Ok(()));
    let message = compile("stays", false).expect_err("the new future isn't Send");
    assert!(
        message.contains("cannot be sent between threads safely"),
        "{message}"
    );
    let message = compile("sends", true).expect_err("the original future is Send");
    assert!(
        message.contains("E0283") || message.contains("E0790"),
        "{message}"
    );
}

#[test]
fn messages_name_the_users_file_and_place() {
    let lib = "struct S { n: u8 }\nfn before() -> u8 { 1 }\nimpl S {\n    fn get(&self) -> u8 {\n        let n: u8 = self.n;\n        n + wrong\n    }\n}\n";
    let good = lib.replace("wrong", "before()");
    let mut host = Host::new("place", "2021", &[("lib.rs", &good)]);
    let path = Path::new("/user/app/src/lib.rs");
    host.files[0] = Arc::new(FileItems::read(lib, path, &[]).expect("items"));
    host.texts.insert(path.to_owned(), lib.to_owned());
    let source = host.plugin(&|_| true, false);
    let message = host.compile("wrong", &source).expect_err("an error");
    assert!(
        message.contains("--> /user/app/src/lib.rs:6:13"),
        "{message}"
    );
    assert!(message.contains("n + wrong"), "{message}");
}
