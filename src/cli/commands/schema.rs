//! `pmdev schema`.

use clap::Args;

use crate::{cli::print, config};

/// Print the JSON Schema of project files, for editors
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Schema {
    /// The keys with their meaning, as Markdown for people
    #[arg(long)]
    pub markdown: bool,
}

const EXAMPLES: &str = "\
Examples:
  pmdev schema > pmdev.schema.json      then, as a key of the file: \"$schema\": \"./pmdev.schema.json\"
  pmdev schema --markdown | less        read about the keys";

impl Schema {
    /// Prints it.
    pub fn run(&self) -> u8 {
        let text = if self.markdown { config::reference::markdown() } else { format!("{:#}\n", config::schema::schema()) };
        print(text.as_bytes());
        0
    }
}
