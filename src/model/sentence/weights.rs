//! The weights of the sentence encoder: read from the file as published, matrices rounded to 8-bit integers on the way.
//!
//! A safetensors file is a length, a JSON header and raw little-endian tensors. It is read tensor by tensor and the
//! largest in pieces, so that loading 90 MB of floats never holds more than a few of them beside what becomes of them.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use ort::value::DynValue;

use super::super::graph::{RunError, tensor};

/// A tensor under the name that the graph gives it (see models/sentence-encoder/make_graph.py).
pub(super) type Weight = (String, DynValue);

/// Why weights could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum WeightsError {
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("its header is not that of a safetensors file: {0}")]
    Header(#[from] serde_json::Error),
    #[error("it has no tensor {0} of the expected size")]
    Lacks(String),
    #[error("{0}")]
    Tensor(#[from] RunError),
}

/// Every weight that the graph names.
pub(super) fn read(path: &Path) -> Result<Vec<Weight>, WeightsError> {
    let mut file = Published::open(path)?;
    let mut weights = Vec::new();
    embeddings(&mut file, &mut weights)?;
    for number in 0..LAYERS {
        let layer = format!("encoder.layer.{number}");
        let attention = format!("{layer}.attention.self");
        let parts = ["query", "key", "value"].map(|part| format!("{attention}.{part}"));
        dense(&mut file, &attention, &parts, WIDTH, &mut weights)?;
        for (name, inside) in [("attention.output", WIDTH), ("intermediate", WIDTH), ("output", INNER)] {
            let name = format!("{layer}.{name}.dense");
            dense(&mut file, &name, std::slice::from_ref(&name), inside, &mut weights)?;
        }
        norm(&mut file, &format!("{layer}.attention.output.LayerNorm"), &mut weights)?;
        norm(&mut file, &format!("{layer}.output.LayerNorm"), &mut weights)?;
    }
    Ok(weights)
}

/// One scale a word.
fn embeddings(file: &mut Published, weights: &mut Vec<Weight>) -> Result<(), WeightsError> {
    let mut words = Rows::default();
    file.in_rows("embeddings.word_embeddings.weight", WIDTH, |row| words.add(row))?;
    let count = words.scales.len();
    weights.push(("embeddings.words.weight".to_owned(), tensor(&[count, WIDTH], words.values)?));
    weights.push(("embeddings.words.scale".to_owned(), tensor(&[count, 1], words.scales)?));
    let kind = file.floats("embeddings.token_type_embeddings.weight")?;
    let mut positions = file.floats("embeddings.position_embeddings.weight")?;
    positions.truncate(super::WINDOW * WIDTH);
    positions.iter_mut().zip(kind.iter().take(WIDTH).cycle()).for_each(|(position, kind)| *position += kind);
    weights.push(("embeddings.positions".to_owned(), tensor(&[super::WINDOW, WIDTH], positions)?));
    norm(file, "embeddings.LayerNorm", weights)
}

/// The layers `parts`, which read the same `inside` numbers, as one matrix `[inside, outside]`, with one scale a column.
fn dense(
    file: &mut Published,
    name: &str,
    parts: &[String],
    inside: usize,
    weights: &mut Vec<Weight>,
) -> Result<(), WeightsError> {
    let (mut columns, mut biases) = (Rows::default(), Vec::new());
    for part in parts {
        file.in_rows(&format!("{part}.weight"), inside, |row| columns.add(row))?;
        biases.extend(file.floats(&format!("{part}.bias"))?);
    }
    let outside = columns.scales.len();
    let matrix = transposed(&columns.values, inside);
    weights.push((format!("{name}.weight"), tensor(&[inside, outside], matrix)?));
    weights.push((format!("{name}.scale"), tensor(&[outside], columns.scales)?));
    weights.push((format!("{name}.bias"), tensor(&[outside], biases)?));
    Ok(())
}

fn norm(file: &mut Published, name: &str, weights: &mut Vec<Weight>) -> Result<(), WeightsError> {
    for part in ["weight", "bias"] {
        let name = format!("{name}.{part}");
        let values = file.floats(&name)?;
        weights.push((name, tensor(&[values.len()], values)?));
    }
    Ok(())
}

fn transposed(rows: &[i8], width: usize) -> Vec<i8> {
    let count = rows.len() / width.max(1);
    let mut columns = vec![0; rows.len()];
    for (row, values) in rows.chunks_exact(width.max(1)).enumerate() {
        let places = columns.iter_mut().skip(row).step_by(count.max(1));
        places.zip(values).for_each(|(place, value)| *place = *value);
    }
    columns
}

/// Rows of 8-bit integers, each with its own scale.
#[derive(Default)]
struct Rows {
    values: Vec<i8>,
    scales: Vec<f32>,
}

impl Rows {
    /// To the nearest of -127..127 times the scale, a tie to the even one.
    ///
    /// Of a number of at most 2^22 whose sum with [`ROUNDING`] is taken, the sum's last bits are the nearest integer: the
    /// addition itself rounds. That, and comparing absolute values as integers, is done for many numbers at once, where
    /// the functions of the standard library are called for each of the 22 million.
    fn add(&mut self, row: &[f32]) {
        let most = f32::from_bits(row.iter().fold(0, |most, value| most.max(value.abs().to_bits())));
        let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
        self.values.extend(row.iter().map(|value| (value / scale + ROUNDING).to_bits() as i8));
        self.scales.push(scale);
    }
}

/// 1.5 x 2^23: from here on floats are a whole number apart, on either side.
const ROUNDING: f32 = 12_582_912.0;

/// The open file.
struct Published {
    file: BufReader<File>,
    header: HashMap<String, serde_json::Value>,
    /// Where the tensors begin.
    start: u64,
}

impl Published {
    fn open(path: &Path) -> Result<Self, WeightsError> {
        let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        let header = serde_json::from_reader(file.by_ref().take(length))?;
        Ok(Self { file, header, start: 8 + length })
    }

    fn floats(&mut self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let mut values = Vec::new();
        self.in_rows(name, 1, |row| values.extend_from_slice(row))?;
        Ok(values)
    }

    /// Gives the rows of `width` floats one after another.
    fn in_rows(&mut self, name: &str, width: usize, mut each: impl FnMut(&[f32])) -> Result<(), WeightsError> {
        let lacks = || WeightsError::Lacks(name.to_owned());
        let offsets = self.header.get(name).and_then(|entry| entry.get("data_offsets")).ok_or_else(lacks)?;
        let offset = |at: usize| offsets.get(at).and_then(serde_json::Value::as_u64).ok_or_else(lacks);
        let (first, end) = (offset(0)?, offset(1)?);
        let size = 4 * width;
        let rows = usize::try_from(end.saturating_sub(first)).map_err(|_| lacks())? / size;
        self.file.seek(SeekFrom::Start(self.start + first))?;
        let (mut bytes, mut row) = (vec![0; size], vec![0.0; width]);
        for _ in 0..rows {
            self.file.read_exact(&mut bytes)?;
            for (value, bytes) in row.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *value = f32::from_le_bytes(*bytes);
            }
            each(&row);
        }
        Ok(())
    }
}

const LAYERS: usize = 6;
const WIDTH: usize = 384;
const INNER: usize = 1536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_rounded_by_their_own_largest_number() {
        let mut rows = Rows::default();
        rows.add(&[0.5, -1.27, 0.015, 0.0]);
        rows.add(&[0.0; 4]);
        assert_eq!(rows.values, [50, -127, 2, 0, 0, 0, 0, 0], "1.5 is a tie: to the even 2");
        assert!((rows.scales[0] - 0.01).abs() < 1e-6);
    }

    #[test]
    fn every_number_is_rounded_as_the_standard_library_rounds_it() {
        let row: Vec<f32> = (-1270..=1270_i16).map(|tenths| f32::from(tenths) / 20.0).chain([127.0]).collect();
        let mut rows = Rows::default();
        rows.add(&row);
        let expected: Vec<i8> = row.iter().map(|value| value.round_ties_even() as i8).collect();
        assert_eq!((rows.values, rows.scales), (expected, vec![1.0]));
    }

    #[test]
    fn a_matrix_is_turned() {
        assert_eq!(transposed(&[1, 2, 3, 4, 5, 6], 3), [1, 4, 2, 5, 3, 6]);
    }
}
