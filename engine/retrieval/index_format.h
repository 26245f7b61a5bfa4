// The bytes of an index file. Little-endian; every struct lies in the file as it stands here.
//
//   page 0     FileHead, and two Superblocks in sectors of their own
//   then       segments and directories, in the order of their commits
//
// A commit appends a segment and a directory of all segments, makes both durable, and only then
// writes a Superblock over the older of the two. So whenever the power goes, one superblock is
// whole and what it points at is whole: the old state or the new one. Bytes past what the newest
// superblock counts are of no commit.
//
// A segment holds records that were committed together: SegmentHead, then its sections, each at a
// multiple of kAlignment. Records are numbered through all segments; a later segment names those of
// earlier ones that it deletes.
#pragma once

#include <bit>
#include <cstdint>

namespace hearth::retrieval {

static_assert(std::endian::native == std::endian::little);

inline constexpr std::uint64_t kMagic = 0x424B485452414548u;  // "HEARTHKB"
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint64_t kHeadBytes = 4096;
inline constexpr std::uint64_t kSuperblockAt[2] = {2048, 3072};
inline constexpr std::uint64_t kAlignment = 64;
inline constexpr std::uint64_t kMostSegments = 1 << 12;
inline constexpr std::uint64_t kMostRecords = std::uint64_t{1} << 32;
inline constexpr std::uint32_t kMostDimensions = 1 << 16;

struct FileHead {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t dimension;  // of the vectors; 0: none
  std::uint32_t metric;     // Metric
  std::uint32_t storage;    // Storage
  char embedder[1024];      // fingerprint, filled up with zeros
  std::uint64_t hash;       // of what is before
};

struct Superblock {
  std::uint64_t sequence;  // of the commit, from 1
  std::uint64_t end;       // bytes of the file that count
  std::uint64_t directory_at;
  std::uint64_t n_segments;
  std::uint64_t directory_hash;
  std::uint64_t hash;  // of what is before
};

struct DirectoryEntry {
  std::uint64_t at;  // of the SegmentHead
  std::uint64_t n_records;
};

enum class SectionKind : std::uint32_t {
  vectors,       // [n][dimension] of the storage's type
  scales,        // int8: [n] float32, what a code of 1 stands for
  exact,         // int8: [n][dimension] float32
  exact_hashes,  // [n] u32, low half of each exact row's hash
  norms,         // l2: [n] float32, squared lengths
  offsets,       // [n + 1] u64, where records begin in `records`
  records,       // see segment_writer.cpp
  keys,          // [n] KeyEntry, sorted
  lengths,       // [n] u32, words of each record
  terms,         // [m] TermEntry, in the order of their texts
  term_texts,
  postings,    // per term, n_records pairs of variable-length numbers (see varint.h)
  tombstones,  // u64 each: records of earlier segments that are deleted
};
inline constexpr std::size_t kSections = 13;

struct Section {
  std::uint64_t at;  // from the start of the file
  std::uint64_t bytes;
  std::uint64_t hash;
};

struct SegmentHead {
  std::uint64_t n_records;
  std::uint64_t first_record;  // its number among all
  std::uint64_t n_words;       // sum of the lengths
  Section sections[kSections];
  std::uint64_t hash;  // of what is before
};

struct KeyEntry {
  std::uint64_t hash;    // of the key's text
  std::uint64_t record;  // in the segment
};

struct TermEntry {
  std::uint64_t text_at;  // in term_texts
  std::uint32_t text_bytes;
  std::uint32_t n_records;    // that have it
  std::uint64_t postings_at;  // in postings
};

}  // namespace hearth::retrieval
