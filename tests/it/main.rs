//! End to end: real processes, private folders, deadlines.

mod process;
