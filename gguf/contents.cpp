#include "gguf/contents.h"

#include <fmt/format.h>

#include <utility>

#include "gguf/content.h"
#include "gguf/keys.h"
#include "gguf/split.h"

namespace hearth::gguf {
namespace {

namespace fs = std::filesystem;

void report(const ViolationFn& sink, std::string_view file, Rule rule, std::string what,
            std::string expected, std::string got) {
  sink({file, rule, 0, std::move(what), std::move(expected), std::move(got)});
}

// Maps and parses one more part. Its data is in contents.files.back().
Parsed load_part(const fs::path& path, Contents& contents, const ViolationFn& sink) {
  const auto part = static_cast<std::uint32_t>(contents.names.size());
  contents.names.push_back(path.string());
  contents.files.emplace_back(path);
  const auto bytes = contents.files.back().bytes();
  contents.file_bytes += bytes.size();
  return parse(bytes, contents.names.back(), part, sink);
}

// The name that all parts share, or nullopt, reported, if this file cannot be the first of them.
std::optional<SplitName> name_of_first(const fs::path& path, const SplitKeys& keys,
                                       std::string_view file, const ViolationFn& sink) {
  auto name = parse_split_name(path.filename().string());
  if (keys.no != 0) {
    const std::string first =
        name ? split_file_name({name->stem, 0, name->count}) : "the first part";
    report(sink, file, Rule::split_part,
           fmt::format("this is part {} of a model in {} files; open the first one", keys.no + 1,
                       keys.count),
           first, path.filename().string());
    return std::nullopt;
  }
  if (!name || name->no != 0 || name->count != keys.count) {
    report(sink, file, Rule::split_part,
           "this is the first part of a split model, and its name does not say so; the other parts "
           "cannot be found",
           fmt::format("a name like NAME-00001-of-{:05}.gguf", keys.count),
           path.filename().string());
    return std::nullopt;
  }
  return name;
}

void add_sister(const fs::path& path, const SplitName& name, Contents& contents,
                const ViolationFn& sink) {
  if (!fs::exists(path)) {
    report(sink, contents.names.front(), Rule::split_missing,
           fmt::format("part {} of {} of this model is missing", name.no + 1, name.count),
           path.string(), "no such file");
    return;
  }
  Parsed part = load_part(path, contents, sink);
  const SplitKeys keys = split_keys(part);
  if (keys.no != name.no || keys.count != name.count)
    report(sink, contents.names.back(), Rule::split_part, "the part does not belong here",
           fmt::format("part {} of {}", name.no + 1, name.count),
           fmt::format("part {} of {}", keys.no + 1, keys.count));
  Parsed& all = contents.parsed;
  all.tensors.insert(all.tensors.end(), part.tensors.begin(), part.tensors.end());
  all.tensor_offsets.insert(all.tensor_offsets.end(), part.tensor_offsets.begin(),
                            part.tensor_offsets.end());
}

void load_sisters(const fs::path& path, Contents& contents, const ViolationFn& sink) {
  const SplitKeys keys = split_keys(contents.parsed);
  if (keys.count <= 1 && keys.no == 0) return;
  const std::string_view first = contents.names.front();
  const auto name = name_of_first(path, keys, first, sink);
  if (!name) return;
  for (std::uint32_t no = 1; no < name->count; ++no) {
    const SplitName sister{name->stem, no, name->count};
    add_sister(path.parent_path() / split_file_name(sister), sister, contents, sink);
  }
  std::vector<NameAt> tensors;
  for (std::size_t i = 0; i < contents.parsed.tensors.size(); ++i) {
    const Tensor& tensor = contents.parsed.tensors[i];
    tensors.push_back(
        {tensor.name, contents.names[tensor.part], contents.parsed.tensor_offsets[i]});
  }
  report_duplicates(tensors, Among::several_files, Rule::tensor_name_duplicate, "tensor", sink);
  const bool all_there = contents.names.size() == keys.count;
  if (all_there && keys.tensors && *keys.tensors != tensors.size())
    report(sink, first, Rule::split_count, "the parts do not hold all tensors of the model",
           fmt::format("{} tensors", *keys.tensors), fmt::format("{}", tensors.size()));
}

}  // namespace

void load_file(const fs::path& path, Contents& contents, const ViolationFn& sink) {
  contents.parsed = load_part(path, contents, sink);
  if (!contents.parsed.metadata_complete) return;
  load_sisters(path, contents, sink);
  check_content(contents.parsed, contents.names.front(), sink);
}

void load_bytes(std::span<const std::byte> bytes, std::string name, Contents& contents,
                const ViolationFn& sink) {
  contents.names.push_back(std::move(name));
  contents.file_bytes = bytes.size();
  contents.parsed = parse(bytes, contents.names.front(), 0, sink);
  if (!contents.parsed.metadata_complete) return;
  const SplitKeys keys = split_keys(contents.parsed);
  if (keys.count > 1)
    report(sink, contents.names.front(), Rule::split_part,
           "a split model cannot be read from memory", "a model in one piece",
           fmt::format("part {} of {}", keys.no + 1, keys.count));
  check_content(contents.parsed, contents.names.front(), sink);
}

}  // namespace hearth::gguf
