//! Where chance comes from.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A number that no two runners have in common: as process 1 of a container each has the same pid, and all start at once after a failure
/// of the host. The standard library's hash keys are random bytes of the kernel's.
pub fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn no_two_seeds_of_a_process_are_alike() {
        let seeds: HashSet<u64> = (0..100).map(|_| super::seed()).collect();
        assert_eq!(seeds.len(), 100);
    }
}
