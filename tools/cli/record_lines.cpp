#include "tools/cli/record_lines.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/utf8.h"

namespace hearth::cli {
namespace {

constexpr const char* kText = "text";
constexpr const char* kExpected =
    R"({"text": "…", "source": "…"}: a text and facts, all of them texts)";

}  // namespace

RecordLines::RecordLines(std::string path) : path_(std::move(path)), file_(path_) {
  if (file_) return;
  throw Error(Error::Parts{
      .where = path_, .what = "cannot be opened", .expected = "a file of JSON lines", .got = {}});
}

bool RecordLines::read_line() {
  while (std::getline(file_, line_)) {
    ++number_;
    if (line_.find_first_not_of(" \t\r") != std::string::npos) return true;
  }
  return false;
}

retrieval::Record RecordLines::next() {
  const auto bad = [&](const std::string& got) {
    return Error(Error::Parts{.where = fmt::format("{}:{}", path_, number_),
                              .what = "is not what stands beside a vector",
                              .expected = kExpected,
                              .got = got});
  };
  if (!read_line()) throw bad("the end: there are fewer lines than vectors");
  const auto json = nlohmann::json::parse(line_, nullptr, false);
  if (!json.is_object()) throw bad("no JSON object");
  retrieval::Record record;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) throw bad(utf8::sanitize(name) + " is no text");
    if (name == kText) {
      record.text = value;
    } else {
      record.facts.emplace_back(name, value);
    }
  }
  return record;
}

void RecordLines::check_end() {
  if (!read_line()) return;
  throw Error(Error::Parts{.where = fmt::format("{}:{}", path_, number_),
                           .what = "there are more lines than vectors",
                           .expected = "one for each vector",
                           .got = {}});
}

std::string record_line(const retrieval::RecordView& record) {
  nlohmann::ordered_json json = {{kText, utf8::sanitize(record.text)},
                                 {"key", utf8::sanitize(record.key)}};
  for (const auto& [name, value] : record.facts) {
    json[utf8::sanitize(name)] = utf8::sanitize(value);
  }
  return json.dump() + "\n";
}

}  // namespace hearth::cli
