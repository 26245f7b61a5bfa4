// The documents under a folder: what there is, what cannot be had, what was not looked at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace hearth::retrieval {

struct DocumentFile {
  std::filesystem::path path;
  std::string source;  // in the folder, with '/' between its parts
  std::uint64_t bytes = 0;
};

struct DocumentFiles {
  std::vector<DocumentFile> found;  // in the order of their sources
  struct Unread {
    std::string source;  // a folder, with '/' at its end
    std::string why;
  };
  std::vector<Unread> unread;                 // folders that could not be read
  std::map<std::string, std::size_t> others;  // files that are no documents, by their endings
  std::vector<std::string> links;             // sources of links to folders, which are not followed
};

/// The documents under `root`, a folder or a document itself, by their names (is_document). Names
/// that begin with a dot are left out, and `index` is. Throws Error if there is no `root`.
DocumentFiles find_documents(const std::filesystem::path& root, const std::filesystem::path& index);

/// A document's text. Throws Error if it cannot be read, or is not UTF-8.
std::string read_document(const std::filesystem::path& path);

}  // namespace hearth::retrieval
