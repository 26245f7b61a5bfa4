#include "engine/convert/checkpoint.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "base/error.h"

namespace hearth {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Checkpoint::Checkpoint(const fs::path& folder) : folder_(folder) {
  if (!fs::is_directory(folder)) refuse("", "is not a folder", "one with config.json");
  std::optional<Json> config = json("config.json");
  if (!config || !config->is_object()) {
    refuse("config.json", "is not there", "a checkpoint as Hugging Face has them");
  }
  config_ = std::move(*config);
  if (const auto text = config_.find("text_config"); text != config_.end() && text->is_object()) {
    const Json whole = std::exchange(config_, Json(*text));
    has_other_parts_ = true;
    for (const auto& [name, value] : whole.items()) {
      if (!value.is_object()) set_default(name, value);
    }
  }
  map_weights();
}

void Checkpoint::set_default(std::string_view name, const Json& value) {
  if (!config_.contains(name)) config_[std::string(name)] = value;
}

void Checkpoint::map_weights() {
  std::set<std::string> names;
  if (const auto index = json("model.safetensors.index.json")) {
    const auto map = index->find("weight_map");
    if (map == index->end() || !map->is_object()) {
      refuse("model.safetensors.index.json", "has no weight_map");
    }
    for (const auto& [tensor, file] : map->items()) {
      const std::string name = file.is_string() ? file.get<std::string>() : std::string();
      const bool is_plain = !name.empty() && fs::path(name).filename() == name;
      if (!is_plain) {
        refuse("model.safetensors.index.json", "names a file outside the folder", "a plain name",
               file.dump());
      }
      names.insert(name);
    }
  } else {
    names.insert("model.safetensors");
  }
  for (const std::string& name : names) {
    if (!has(name)) {
      refuse(name, "is not there; only safetensors are read", "weights in safetensors files");
    }
    files_.emplace_back(folder_ / name);
    for (auto& [tensor, view] :
         parse_safetensors(files_.back().bytes(), (folder_ / name).string())) {
      if (!tensors_.emplace(tensor, std::move(view)).second) {
        refuse(name, "has a tensor that another file has too", {}, tensor);
      }
    }
  }
}

bool Checkpoint::has(const std::string& name) const {
  return fs::is_regular_file(folder_ / name);
}

std::string Checkpoint::text(const std::string& name) const {
  std::ifstream file(folder_ / name, std::ios::binary);
  if (!file) refuse(name, "cannot be opened");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<Json> Checkpoint::json(const std::string& name) const {
  if (!has(name)) return std::nullopt;
  try {
    return Json::parse(text(name));
  } catch (const Json::exception& error) {
    refuse(name, "is not JSON", "a file as Hugging Face has them", error.what());
  }
}

void Checkpoint::drop_pages(const SafeTensor& tensor) const {
  for (const gguf::MappedFile& file : files_) {
    const auto all = file.bytes();
    const bool is_inside = tensor.data.data() >= all.data() &&
                           tensor.data.data() + tensor.data.size() <= all.data() + all.size();
    if (is_inside) file.drop_pages(tensor.data);
  }
}

void Checkpoint::refuse(const std::string& file, std::string what, std::string expected,
                        std::string got) const {
  throw Error({.where = (file.empty() ? folder_ : folder_ / file).string(),
               .what = std::move(what),
               .expected = std::move(expected),
               .got = std::move(got)});
}

}  // namespace hearth
