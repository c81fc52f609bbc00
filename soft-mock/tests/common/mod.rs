//! Shared by the test programs: sites, and plugins compiled by the real compiler.

#![allow(dead_code, missing_docs, unreachable_pub)]

pub mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use soft_mock_abi::checksum;
use support::{APP_UNIT, RUSTC};

/// A replacement in a plugin.
#[derive(Clone)]
pub struct Function {
    pub site: String,
    pub signature: &'static str,
    /// `(x: u32) -> u32 { x }`
    pub code: &'static str,
    /// The type whose id the plugin compares with the site's.
    pub pointer: Option<&'static str>,
    /// The symbol that the manifest names, if it isn't the right one.
    pub symbol: Option<&'static str>,
}

impl Function {
    pub fn new(site: impl Into<String>, signature: &'static str, code: &'static str) -> Self {
        Self {
            site: site.into(),
            signature,
            code,
            pointer: None,
            symbol: None,
        }
    }

    pub fn checked_as(mut self, pointer: &'static str) -> Self {
        self.pointer = Some(pointer);
        self
    }
}

/// A plugin to be compiled.
pub struct Plugin {
    pub functions: Vec<Function>,
    pub format: u32,
    pub kind: &'static str,
    pub rustc: &'static str,
    pub unit: u64,
    pub krate: &'static str,
    /// In place of the manifest that the rest describes.
    pub manifest: Option<&'static str>,
    /// Further items.
    pub items: &'static str,
}

impl Plugin {
    pub fn of(functions: &[Function]) -> Self {
        Self {
            functions: functions.to_vec(),
            format: 1,
            kind: "patch",
            rustc: RUSTC,
            unit: APP_UNIT,
            krate: "app",
            manifest: None,
            items: "",
        }
    }

    /// Compiles it to `folder/name.so`.
    pub fn build(&self, folder: &Path, name: &str) -> PathBuf {
        let (source, plugin) = (
            folder.join(format!("{name}.rs")),
            folder.join(format!("{name}.so")),
        );
        // Under another name first, so that a watched folder sees it appear at once.
        let unfinished = folder.join(format!("{name}.unfinished"));
        fs::write(&source, self.source()).expect("the source is written");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut command = Command::new(rustc);
        command
            .args([
                "--edition=2021",
                "--crate-type=cdylib",
                "--crate-name=plugin",
                "-Cpanic=abort",
            ])
            .arg("-o")
            .arg(&unfinished)
            .arg(&source);
        let output = command.output().expect("rustc starts");
        assert!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        checksum::append(&unfinished).expect("the plugin has a checksum");
        fs::rename(unfinished, &plugin).expect("the plugin is renamed");
        plugin
    }

    fn source(&self) -> String {
        let mut source = String::from(
            "#![no_std]\n#[panic_handler] fn panic(_: &core::panic::PanicInfo<'_>) -> ! { loop {} }\n\
             #[no_mangle] extern \"C\" fn rust_eh_personality() {}\n",
        );
        source.push_str(self.items);
        for (index, function) in self.functions.iter().enumerate() {
            source.push_str(&format!(
                "#[no_mangle] pub fn patch_{index}{}\n",
                function.code
            ));
            if let Some(pointer) = function.pointer {
                source.push_str(&format!(
                    "#[no_mangle] pub extern \"C\" fn check_{index}(site: fn() -> core::any::TypeId) -> u8 {{ (site() == core::any::TypeId::of::<{pointer}>()) as u8 }}\n"
                ));
            }
        }
        let manifest = self.manifest();
        if !manifest.is_empty() {
            source.push_str(&format!(
                "#[no_mangle] #[used] #[link_section = {:?}] pub static MANIFEST: [u8; {}] = *b{manifest:?};\n",
                soft_mock_abi::section::MANIFEST,
                manifest.len()
            ));
        }
        source
    }

    fn manifest(&self) -> String {
        if let Some(manifest) = self.manifest {
            return manifest.to_owned();
        }
        let functions = self.functions.iter().enumerate().map(|(index, function)| {
            serde_json::json!({
                "name": function.site,
                "signature": function.signature,
                "symbol": function.symbol.map_or(format!("patch_{index}"), str::to_owned),
                "check": function.pointer.map(|_| format!("check_{index}")),
                "file": "src/edited.rs",
                "line": index + 1,
            })
        });
        serde_json::json!({
            "format": self.format,
            "kind": self.kind,
            "rustc": self.rustc,
            "unit": format!("{:016x}", self.unit),
            "crate": self.krate,
            "functions": functions.collect::<Vec<_>>(),
        })
        .to_string()
    }
}

/// A folder that only this user can enter, removed on drop.
pub fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("permissions");
    folder
}

/// Waits for something that another thread does.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..500 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{what} didn't happen in time");
}
