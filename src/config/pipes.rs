//! Files that can be read only once, such as the pipe of `--env-file <(decrypt .env)`: what came out of them is kept for the next reading.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// What was read from pipes; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Pipes(Arc<Mutex<HashMap<PathBuf, String>>>);

impl Pipes {
    /// The text of a file: as it is now, or as it was when it was read first where it is no regular file.
    ///
    /// # Errors
    /// As of `read_to_string`.
    pub fn read(&self, file: &Path) -> io::Result<String> {
        if file.is_file() {
            return fs::read_to_string(file);
        }
        if let Some(text) = self.text(file) {
            return Ok(text);
        }
        let text = fs::read_to_string(file)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(file.to_owned(), text.clone());
        Ok(text)
    }

    /// Whether this file was read, and cannot be again.
    pub fn knows(&self, file: &Path) -> bool {
        self.text(file).is_some()
    }

    fn text(&self, file: &Path) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(file).cloned()
    }
}
