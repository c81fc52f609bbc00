//! Private functions of tempfile that talk to the file system, and what it asks the standard
//! library.

use std::io;
use std::path::{Path, PathBuf};

use soft_mock::mock;

#[test]
fn added_the_disk_is_full() {
    let _persist = mock!(
        "tempfile::file::imp::platform::persist",
        |_from: &Path, _to: &Path, _overwrite: bool| -> io::Result<()> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
    )
    .times(1);
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = file.persist("never-made").expect_err("an error");
    assert_eq!(error.error.kind(), io::ErrorKind::StorageFull);
    assert!(error.file.path().exists(), "the file is given back");
}

#[test]
fn added_another_folder_for_temporary_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().to_owned();
    let _folder = mock!(std::env::temp_dir, {
        let path = path.clone();
        move || -> PathBuf { path.clone() }
    })
    .times(1);
    let file = tempfile::NamedTempFile::new().expect("a file");
    assert_eq!(file.path().parent(), Some(path.as_path()));
}
