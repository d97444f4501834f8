//! The chain: each link is made of the one before it and of its record

use super::{Digest, Malformed, Record, sha256};

/// A link, as it is kept
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The record in its one form
    pub record: Record,
    /// Its hash
    pub hash: Digest,
}

/// Before the first record of a chain
const NOTHING: Digest = [0; 32];

/// The link of a record behind another one; `before` is `None` for the first of a chain
///
/// # Errors
/// What is wrong with the record.
pub fn link(before: Option<&Digest>, record: &str) -> Result<Link, Malformed> {
    let record = Record::parse(record)?;
    let hash = sha256(&[before.unwrap_or(&NOTHING), record.text.as_bytes()]);
    Ok(Link { record, hash })
}

/// What is wrong with the first link that does not fit
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Records between the last one and this one are not there
    Missing,
    /// It stands at a place where another one belongs: swapped, repeated, or from another chain
    Misplaced,
    /// Its text was changed, or the hash of it or of the one before
    Altered,
    /// It is not a record at all
    Unreadable,
}

impl Finding {
    /// Its number at the WebAssembly boundary; 0 is no finding
    pub const fn number(self) -> u32 {
        match self {
            Self::Missing => 1,
            Self::Misplaced => 2,
            Self::Altered => 3,
            Self::Unreadable => 4,
        }
    }
}

/// Follows a chain link by link, and may begin anywhere: what it holds is all that has to be kept to go on
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier<'c> {
    /// The chain
    pub chain: &'c str,
    /// Place of the last link that fitted; 0 at the beginning
    pub seq: u64,
    /// Its hash
    pub hash: Option<Digest>,
}

impl<'c> Verifier<'c> {
    /// At the beginning of a chain
    pub const fn new(chain: &'c str) -> Self {
        Self { chain, seq: 0, hash: None }
    }

    /// The next link as it is kept: under which number, the text of its record, its hash
    ///
    /// # Errors
    /// What is wrong with it; the verifier stays where it was.
    pub fn next(&mut self, seq: u64, record: &str, hash: &Digest) -> Result<(), Finding> {
        let expected = self.seq.saturating_add(1);
        if seq > expected {
            return Err(Finding::Missing);
        }
        let link = link(self.hash.as_ref(), record).map_err(|_| Finding::Unreadable)?;
        if seq < expected || link.record.seq != seq || link.record.chain != self.chain {
            return Err(Finding::Misplaced);
        }
        if link.record.text != record || link.hash != *hash {
            return Err(Finding::Altered);
        }
        (self.seq, self.hash) = (seq, Some(link.hash));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Kept = Vec<(u64, String, Digest)>;

    fn record(chain: &str, seq: u64, rule: &str) -> String {
        format!(
            r#"{{"chain":"{chain}","seq":{seq},"at":1764000000000,"event":"decision","result":"DENY","rule":"{rule}"}}"#
        )
    }

    fn links(chain: &str, count: u64) -> Kept {
        let mut before = None;
        (1..=count)
            .map(|seq| {
                let link = link(before.as_ref(), &record(chain, seq, "r")).unwrap();
                before = Some(link.hash);
                (seq, link.record.text, link.hash)
            })
            .collect()
    }

    /// The first that does not fit, by its place in the list
    fn verify(links: &[(u64, String, Digest)]) -> Result<u64, (usize, Finding)> {
        let mut verifier = Verifier::new("c");
        for (at, (seq, record, hash)) in links.iter().enumerate() {
            let kept = verifier.clone();
            verifier.next(*seq, record, hash).map_err(|finding| {
                assert_eq!(verifier, kept, "it stays where it was");
                (at, finding)
            })?;
        }
        Ok(verifier.seq)
    }

    #[test]
    fn a_whole_chain_fits_and_the_same_records_make_the_same_chain() {
        assert_eq!(verify(&links("c", 100)), Ok(100));
        assert_eq!(links("c", 3), links("c", 3));
        assert_eq!(links("c", 3)[0].2, sha256(&[&[0; 32], record("c", 1, "r").as_bytes()]));
    }

    #[test]
    fn verifying_goes_on_where_it_ended() {
        let links = links("c", 10);
        let mut verifier = Verifier { chain: "c", seq: 5, hash: Some(links[4].2) };
        for (seq, record, hash) in &links[5..] {
            assert_eq!(verifier.next(*seq, record, hash), Ok(()));
        }
        let mut elsewhere = Verifier { chain: "c", seq: 5, hash: Some(links[3].2) };
        assert_eq!(elsewhere.next(6, &links[5].1, &links[5].2), Err(Finding::Altered));
    }

    #[test]
    fn the_first_that_does_not_fit_is_found_and_named() {
        let good = links("c", 10);
        let changed = |change: &dyn Fn(&mut Kept)| {
            let mut links = good.clone();
            change(&mut links);
            verify(&links)
        };
        assert_eq!(changed(&|all| all[4].1 = record("c", 5, "other")), Err((4, Finding::Altered)));
        assert_eq!(changed(&|all| all[4].2[0] ^= 1), Err((4, Finding::Altered)));
        // The same words in another form.
        assert_eq!(changed(&|all| all[4].1 = all[4].1.replace(',', ", ")), Err((4, Finding::Altered)));
        assert_eq!(changed(&|all| drop(all.remove(4))), Err((4, Finding::Missing)));
        assert_eq!(changed(&|all| drop(all.remove(0))), Err((0, Finding::Missing)));
        assert_eq!(changed(&|all| all.swap(4, 5)), Err((4, Finding::Missing)));
        // Swapped under each other's numbers.
        let swapped = changed(&|all| {
            all.swap(4, 5);
            (all[4].0, all[5].0) = (5, 6);
        });
        assert_eq!(swapped, Err((4, Finding::Misplaced)));
        assert_eq!(changed(&|all| all.insert(5, all[4].clone())), Err((5, Finding::Misplaced)));
        assert_eq!(changed(&|all| all[4] = links("d", 10)[4].clone()), Err((4, Finding::Misplaced)));
        assert_eq!(changed(&|all| all[4].1.clear()), Err((4, Finding::Unreadable)));
        // A record changed together with its hash: the next one gives it away.
        let rehashed = changed(&|all| {
            let forged = link(Some(&all[3].2), &record("c", 5, "other")).unwrap();
            (all[4].1, all[4].2) = (forged.record.text, forged.hash);
        });
        assert_eq!(rehashed, Err((5, Finding::Altered)));
    }
}
