#include "tools/cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string_view>

#include <CLI/CLI.hpp>

namespace hearth::cli {
namespace {

/// How --help shows an option: its type and default, without the checks that stand behind it.
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

/// The field writes `-ngl N` with one dash, which would read as `-n gl`.
std::vector<std::string> arguments(int argc, char** argv) {
  std::vector<std::string> list;
  for (int i = argc - 1; i > 0; --i) {  // CLI11 takes them last first
    list.emplace_back(std::string_view(argv[i]) == "-ngl" ? "--ngl" : argv[i]);
  }
  return list;
}

/// The command that the first word names, or nullptr.
const CLI::App* named_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2) return nullptr;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->check_name(argv[1])) return command;
  }
  return nullptr;
}

void print_misuse(const CLI::App& app, const std::string& what, int argc, char** argv) {
  const CLI::App* command = named_command(app, argc, argv);
  if (command == nullptr && argc >= 2 && argv[1][0] != '-') {  // CLI11 says that one is required
    fmt::print(stderr, "hearth: there is no command '{}'; hearth --help lists them\n", argv[1]);
    return;
  }
  fmt::print(stderr, "hearth: {}; hearth {}--help says more\n", what,
             command == nullptr ? "" : command->get_name() + " ");
}

}  // namespace

Option Option::type(const std::string& name) const {
  option_->type_name(name);
  return *this;
}

Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::shows_default() const {
  option_->capture_default_str();
  return *this;
}

Option Option::one_at_a_time() const {
  option_->allow_extra_args(false);
  return *this;
}

Option Option::range(std::int64_t least, std::int64_t most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::check(std::function<std::string(std::string&)> problem) const {
  option_->transform(CLI::Validator(std::move(problem), ""));
  return *this;
}

Option Option::excludes(Option other) const {
  option_->excludes(other.option_);
  return *this;
}

Option Option::group(const std::string& heading) const {
  option_->group(heading);
  return *this;
}

template <class T>
Option Command::option(const std::string& name, T& value, const std::string& help) {
  return Option(*app_->add_option(name, value, help));
}

// What an option may store.
#define HEARTH_STORES(...) \
  template Option Command::option(const std::string&, __VA_ARGS__&, const std::string&)
HEARTH_STORES(int);
HEARTH_STORES(std::uint64_t);
HEARTH_STORES(float);
HEARTH_STORES(double);
HEARTH_STORES(std::string);
HEARTH_STORES(std::optional<int>);
HEARTH_STORES(std::optional<std::uint64_t>);
HEARTH_STORES(std::optional<std::string>);
HEARTH_STORES(std::vector<int>);
HEARTH_STORES(std::vector<std::string>);
#undef HEARTH_STORES

Option Command::option(const std::string& name, const std::function<void(const std::string&)>& take,
                       const std::string& help) {
  return Option(*app_->add_option_function<std::string>(name, take, help));
}

Option Command::flag(const std::string& name, bool& value, const std::string& help) {
  return Option(*app_->add_flag(name, value, help));
}

Option Command::flag(const std::string& name, std::function<void()> set, const std::string& help) {
  return Option(*app_->add_flag_callback(name, std::move(set), help));
}

Option Command::one_of(const std::string& name, const std::vector<std::string>& words,
                       const std::function<void(std::size_t)>& take, const std::string& help) {
  const auto place = [words](const std::string& word) {
    return static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin());
  };
  const auto problem = [words, place](const std::string& word) {
    if (place(word) < words.size()) return std::string();
    return fmt::format("{} is none of {}", word, fmt::join(words, ", "));
  };
  return option(
             name, [take, place](const std::string& word) { take(place(word)); }, help)
      .check(problem)
      .type(fmt::format("{}", fmt::join(words, "|")));
}

void Command::footer(const std::string& text) {
  app_->footer(text);
}

void Command::runs(std::function<void()> body) {
  app_->callback(std::move(body));
}

Option add_threads_option(Command& command, int& n_threads) {
  return command.option("-t,--threads", n_threads, "threads (default: one per physical core)")
      .range(1, 1024);
}

CommandLine::CommandLine(const std::string& name, const std::string& description,
                         const std::string& version)
    : app_(std::make_unique<CLI::App>(description, name)) {
  app_->set_version_flag("--version", name + " " + version);
  app_->require_subcommand(1);
  app_->formatter(std::make_shared<HelpFormat>());  // the commands take it over
}

CommandLine::~CommandLine() = default;

Command CommandLine::command(const std::string& name, const std::string& description) {
  return Command(*app_->add_subcommand(name, description));
}

bool CommandLine::run(int argc, char** argv) {
  try {
    app_->parse(arguments(argc, argv));
  } catch (const CLI::Success& asked) {  // for help or the version, which this prints
    app_->exit(asked);
  } catch (const CLI::ParseError& error) {
    print_misuse(*app_, error.what(), argc, argv);
    return false;
  } catch (const Misuse& error) {
    print_misuse(*app_, error.what(), argc, argv);
    return false;
  }
  return true;
}

}  // namespace hearth::cli
