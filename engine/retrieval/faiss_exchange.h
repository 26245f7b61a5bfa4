// Between indexes and the flat files of FAISS, which have vectors and no texts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/progress.h"
#include "engine/retrieval/index.h"

namespace hearth::retrieval {

struct FaissImport {
  std::string embedder = {};  // fingerprint of who made the vectors, or what is known of them
  /// Of the embedder; 0: not known. Throws Error if the file has another.
  std::uint32_t dimension = 0;
  Storage storage = Storage::f32;
  /// The text and the facts that belong to the next vector, which is number i of n; they may be
  /// absent altogether.
  std::function<Record(std::uint64_t i, std::uint64_t n)> next_record = {};
};

/// Makes an index at `to`, where there is no file yet, of the vectors of a FAISS file, all or
/// nothing: vector i has the number i, and i in ten digits for a key. Returns how many there are.
/// Throws Error.
std::uint64_t import_faiss(const std::filesystem::path& from, const std::filesystem::path& to,
                           const FaissImport& how, const ProgressFn& progress = {});

/// Writes the vectors of an index as a FAISS file, in the order of their numbers, without those
/// that are deleted. Those of cosine have length 1 and are written for inner products. `on_record`
/// is told the number of each. Throws Error.
std::uint64_t export_faiss(const Index& index, const std::filesystem::path& to,
                           const std::function<void(std::uint64_t number)>& on_record = {},
                           const ProgressFn& progress = {});

}  // namespace hearth::retrieval
