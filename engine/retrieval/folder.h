// A folder of documents as an index: what changed is read, cut and embedded, the rest stays.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/progress.h"
#include "engine/retrieval/chunker.h"
#include "engine/retrieval/index.h"
#include "engine/retrieval/text_embedder.h"

namespace hearth::retrieval {

struct FolderOptions {
  int max_tokens = 256;  // of a chunk, at most what the embedder looks at
  int overlap_tokens = 32;
  bool keep_others = false;               // what is not under the root stays in the index
  bool skip_bad = false;                  // leave out documents that cannot be read, and say so
  Storage storage = Storage::f32;         // of a new index
  std::chrono::seconds commit_every{20};  // documents that are done; what is lost when it is killed
};

/// What was found and done. Facts of a record: source (path in the folder), heading, line, hash.
struct FolderReport {
  std::size_t files = 0, unchanged = 0, changed = 0, fresh = 0, gone = 0;
  std::vector<std::string> bad;                  // why each was left out
  std::size_t chunks = 0;                        // of the index
  std::size_t chunks_made = 0;                   // anew
  std::size_t truncated = 0;                     // of those made
  std::uint64_t tokens = 0, unknown_tokens = 0;  // of those made
  std::vector<std::string> without_text;         // documents that give no chunk
  std::map<std::string, std::size_t> others;     // files that are no documents, by their endings
  std::vector<std::string> links;                // to folders, which are not followed
  struct Pair {
    std::string first, second;  // keys
  };
  std::vector<Pair> near_duplicates;
  bool was_damaged = false;   // the index was, and its state before the damage was the beginning
  std::string not_compacted;  // why not, if it should have been
};

/// Brings the index at `path` up to the documents under `root`, a folder or a file; makes it if
/// there is none. `embedder` may be null: words only. What cannot be read and is left out stays in
/// the index as it was. Progress counts bytes of documents.
///
/// Documents are whole or not at all, as they are now or as they were: so the index is after each
/// of its commits, of which there is one now and then. What they have stays when it throws;
/// Cancelled commits all that is done. A new index is beside its place until it is whole, and is
/// found there again.
FolderReport index_folder(const std::filesystem::path& path, const std::filesystem::path& root,
                          TextEmbedder* embedder, const FolderOptions& options,
                          const ProgressFn& progress = {});

}  // namespace hearth::retrieval
