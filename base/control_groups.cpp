#include "base/control_groups.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {
namespace {

namespace fs = std::filesystem;

/// The first number in a file; none if there is no file, or a word such as "max".
template <class Number>
std::optional<Number> number_in(const fs::path& path) {
  std::ifstream file(path);
  Number number{};
  if (file >> number) return number;
  return std::nullopt;
}

/// The number after `key` in a file of "key value" lines, 0 if there is no such line.
std::uint64_t number_after(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  for (std::string word; file >> word >> number;) {
    if (word == key) return number;
  }
  return 0;
}

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == word) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

/// Adds where the files of the group `path` may be, and of each group around it. (In a container
/// the innermost folders that are named may not be there: they are mounted as the root.)
void add_folders(std::vector<fs::path>& folders, const fs::path& mount, fs::path path) {
  for (;; path = path.parent_path()) {
    folders.push_back(mount / path.relative_path());
    if (!path.has_relative_path()) return;
  }
}

/// Folders that may have the files of a controller: "cpu" or "memory". Lines are
/// "number:controllers:path"; version 2 has number 0 and names no controllers.
std::vector<fs::path> folders_of(std::string_view controller, const ControlGroups& groups) {
  std::vector<fs::path> folders;
  std::ifstream file(groups.own);
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    const fs::path path = line.substr(second + 1);
    if (has_word(names, controller)) add_folders(folders, groups.mounted / controller, path);
    if (names.empty()) add_folders(folders, groups.mounted, path);
  }
  return folders;
}

template <class Number>
void keep_less(std::optional<Number>& least, Number value) {
  if (!least || value < *least) least = value;
}

/// Bytes left in a group: `cached` are the files that it could let go of.
std::uint64_t left(std::uint64_t limit, std::uint64_t used, std::uint64_t cached) {
  used -= std::min(used, cached);
  return limit - std::min(limit, used);
}

}  // namespace

std::optional<double> cpu_quota(const ControlGroups& groups) {
  std::optional<double> least;
  const auto keep = [&least](std::optional<double> quota, std::optional<double> period) {
    if (quota && period && *quota > 0 && *period > 0) keep_less(least, *quota / *period);
  };
  for (const fs::path& folder : folders_of("cpu", groups)) {
    std::ifstream file(folder / "cpu.max");  // "quota period", or "max period"
    double quota = 0;
    double period = 0;
    if (file >> quota >> period) keep(quota, period);
    keep(number_in<double>(folder / "cpu.cfs_quota_us"),  // -1: none
         number_in<double>(folder / "cpu.cfs_period_us"));
  }
  return least;
}

std::optional<std::uint64_t> memory_quota_left(const ControlGroups& groups) {
  std::optional<std::uint64_t> least;
  const auto keep = [&least](const fs::path& folder, const char* limit, const char* used,
                             std::string_view prefix) {
    const auto most = number_in<std::uint64_t>(folder / limit);
    if (!most) return;
    const fs::path stat = folder / "memory.stat";
    const std::uint64_t cached = number_after(stat, std::string(prefix) + "active_file") +
                                 number_after(stat, std::string(prefix) + "inactive_file");
    keep_less(least, left(*most, number_in<std::uint64_t>(folder / used).value_or(0), cached));
  };
  for (const fs::path& folder : folders_of("memory", groups)) {
    keep(folder, "memory.max", "memory.current", "");
    keep(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_");
  }
  return least;
}

}  // namespace hearth
