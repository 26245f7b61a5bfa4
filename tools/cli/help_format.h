// How --help shows an option: its type and default, without the checks that stand behind it.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace hearth::cli {

class HelpFormat final : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return {};
    std::string text;
    const std::string type = option->get_type_name();
    if (!type.empty()) text += " " + type.substr(0, type.find(':'));  // checks follow the colon
    if (!option->get_default_str().empty()) text += "=" + option->get_default_str();
    if (option->get_expected_max() == CLI::detail::expected_max_vector_size) text += " ...";
    if (option->get_required()) text += " (required)";
    return text;
  }
};

}  // namespace hearth::cli
