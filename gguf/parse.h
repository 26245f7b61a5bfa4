// Bytes of one GGUF file -> its header, metadata and tensor table. The one place that knows the
// layout; Reader and check() differ only in what they do with the violations it reports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gguf/reader.h"
#include "gguf/violation.h"

namespace hearth::gguf {

struct Parsed {
  std::uint32_t version = 0;
  std::uint64_t alignment = 32;                 // general.alignment; 32 when absent or bad
  std::uint64_t data_offset = 0;                // where tensor data begins
  bool metadata_complete = false;               // every entry could be found
  std::vector<Entry> metadata;                  // well-formed ones, in the order of the file
  std::vector<std::uint64_t> metadata_offsets;  // where each of them stands in the file
  std::vector<Tensor> tensors;  // those whose data lies inside the file, in the order of the file
  std::vector<std::uint64_t> tensor_offsets;  // where each of them stands in the tensor table
};

/// A name and where it stands.
struct NameAt {
  std::string_view name;
  std::string_view file;
  std::uint64_t offset;
};
enum class Among : std::uint8_t { one_file, several_files };

/// Reports "`kind` 'name' stands twice" for each repeated name: those inside a file, or those of a
/// file that another one has already. Sorts `names`.
void report_duplicates(std::vector<NameAt>& names, Among among, Rule rule, std::string_view kind,
                       const ViolationFn& sink);

/// Reads what can be read and reports every violation to `sink`; stops where the rest cannot be
/// found. If `sink` throws, so does this. Views in the result point into `bytes` and `owner` (the
/// file's name).
/// Time is n log n in the number of fields; memory is linear in what the file really holds.
Parsed parse(std::span<const std::byte> bytes, std::string_view owner, std::uint32_t part,
             const ViolationFn& sink);

}  // namespace hearth::gguf
