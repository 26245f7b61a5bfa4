#include "engine/retrieval/document_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/utf8.h"
#include "engine/retrieval/document.h"
#include "engine/retrieval/refuse.h"

namespace hearth::retrieval {
namespace {

namespace fs = std::filesystem;

class Walk {
 public:
  Walk(const fs::path& index, DocumentFiles& files) : index_(index), files_(files) {}

  /// `prefix` is the folder's source: "" or "guide/".
  void folder(const fs::path& path, const std::string& prefix) {
    std::error_code failed;
    fs::directory_iterator at(path, failed);
    for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
      const std::string name = at->path().filename().string();
      if (!name.starts_with('.')) entry(*at, name, prefix);
    }
    if (!failed) return;
    files_.unread.push_back(
        {prefix, fmt::format("{}: this folder cannot be read; expected permission to read it, or "
                             "--skip-bad to leave it out, got {}",
                             path.string(), failed.message())});
  }

 private:
  void entry(const fs::directory_entry& entry, const std::string& name, const std::string& prefix) {
    std::error_code failed;
    const std::string source = prefix + name;
    if (entry.is_directory(failed)) {
      if (entry.is_symlink(failed)) {
        files_.links.push_back(source);  // it may lead back here
      } else {
        folder(entry.path(), source + "/");
      }
      return;
    }
    // A link to nowhere is a document that cannot be read.
    const bool is_file = entry.is_regular_file(failed) || !entry.exists(failed);
    const bool is_index =
        fs::exists(index_, failed) && fs::equivalent(entry.path(), index_, failed);
    if (!is_file || is_index) return;
    if (!is_document(name)) {
      ++files_.others[entry.path().extension().string()];
      return;
    }
    const std::uint64_t bytes = entry.file_size(failed);
    files_.found.push_back({entry.path(), source, failed ? 0 : bytes});
  }

  const fs::path& index_;
  DocumentFiles& files_;
};

}  // namespace

DocumentFiles find_documents(const fs::path& root, const fs::path& index) {
  std::error_code failed;
  const fs::file_status status = fs::status(root, failed);
  if (!fs::exists(status)) refuse(root, "there is no such folder or file", {}, failed.message());
  DocumentFiles files;
  if (!fs::is_directory(status)) {
    const std::uintmax_t bytes = fs::file_size(root, failed);
    files.found.push_back({root, root.filename().string(), failed ? 0 : bytes});
    return files;
  }
  Walk(index, files).folder(root, "");
  std::sort(files.found.begin(), files.found.end(),
            [](const DocumentFile& a, const DocumentFile& b) { return a.source < b.source; });
  std::sort(files.links.begin(), files.links.end());
  return files;
}

std::string read_document(const fs::path& path) {
  constexpr const char* kReadable = "a file that can be read, or --skip-bad to leave it out";
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path, "cannot be opened", kReadable, std::strerror(errno));
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) refuse(path, "cannot be read", kReadable, std::strerror(errno));
  const std::size_t bad = utf8::first_malformed(text);
  if (bad < text.size()) {
    refuse(path, "is not UTF-8 text; convert it, or leave such files out with --skip-bad", "UTF-8",
           fmt::format("byte 0x{:02x} at offset {}", static_cast<unsigned char>(text[bad]), bad));
  }
  return text;
}

}  // namespace hearth::retrieval
