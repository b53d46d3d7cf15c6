//! Rows of tokens that go through a graph together.

use ort::value::DynValue;

use super::graph::{RunError, tensor};

/// The most rows of a batch: more gain little, and each holds a megabyte of caches.
pub(super) const MOST_ROWS: usize = 16;

/// The inputs of an encoder: ids and mask, padded on the right to the longest row.
pub(super) struct Padded {
    pub(super) ids: DynValue,
    pub(super) mask: DynValue,
}

impl Padded {
    pub(super) fn new(rows: &[&[i64]], pad: i64) -> Result<Self, RunError> {
        let longest = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        let mut ids = Vec::with_capacity(rows.len() * longest);
        let mut mask = Vec::with_capacity(rows.len() * longest);
        for row in rows {
            ids.extend_from_slice(row);
            ids.resize(ids.len() + longest - row.len(), pad);
            mask.extend((0..longest).map(|at| i64::from(at < row.len())));
        }
        let sizes = [rows.len(), longest];
        Ok(Self { ids: tensor(&sizes, ids)?, mask: tensor(&sizes, mask)? })
    }
}
