mod change;
mod rules;
mod start;
mod walk;
