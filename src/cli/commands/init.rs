//! `pmdev init`.

use clap::{Args, ValueEnum};

use crate::{
    cli::{host, print},
    config::{source::Format, starter},
    model::Error,
};

/// Write a commented project file for this folder
#[derive(Debug, Args)]
#[command(after_help = "It writes down what `pmdev start` would run here. A folder that has a project file is left as it is.")]
pub struct Init {
    /// What it is written in
    #[arg(value_name = "FORMAT", value_enum, default_value_t = Written::Toml)]
    pub format: Written,
}

/// The formats that are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Written {
    /// pmdev.toml
    Toml,
    /// pmdev.yaml
    Yaml,
    /// pmdev.json, with comments
    Json,
    /// pmdev.config.js
    Js,
}

impl Init {
    /// Writes the file and tells what is in it.
    pub fn run(self) -> Result<u8, Error> {
        let host = host::host(false)?;
        let format = match self.format {
            Written::Toml => Format::Toml,
            Written::Yaml => Format::Yaml,
            Written::Json => Format::Json,
            Written::Js => Format::JavaScript,
        };
        let written = starter::write(&host.cwd, format, &host)?;
        let file = written.file.file_name().unwrap_or_default().display();
        let what = match written.chosen {
            Some((what, why)) => format!("{file} was written: it runs {what} ({why})\n"),
            None => format!("{file} was written: nothing was found here that could be run, so set its script to yours\n"),
        };
        print(what.as_bytes());
        Ok(0)
    }
}
