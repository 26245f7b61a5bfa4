#include "gguf/check.h"

#include <utility>

#include "gguf/contents.h"

namespace hearth::gguf {
namespace {

ViolationFn collect_into(CheckReport& report) {
  return [&report](const Violation& v) {
    ++report.total;
    if (report.findings.size() < kMaxFindings)
      report.findings.push_back({std::string(v.file), v.rule, v.offset, v.what, v.expected, v.got});
  };
}

}  // namespace

CheckReport check(const std::filesystem::path& path) {
  CheckReport report;
  Contents contents;
  load_file(path, contents, collect_into(report));
  return report;
}

CheckReport check_bytes(std::span<const std::byte> bytes, std::string name) {
  CheckReport report;
  Contents contents;
  load_bytes(bytes, std::move(name), contents, collect_into(report));
  return report;
}

}  // namespace hearth::gguf
