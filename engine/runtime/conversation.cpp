#include "engine/runtime/conversation.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/output_file.h"

namespace hearth {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "hearth-conversation";
constexpr int kVersion = 1;
constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 28;  // nobody types more

/// Reads one file; every complaint names it.
class Loader {
 public:
  explicit Loader(const std::filesystem::path& path) : path_(path) {}

  Conversation load() const {
    const Json root = parse(read());
    const auto format = root.is_object() ? root.find("format") : root.end();
    if (format == root.end() || *format != kFormat) {
      refuse("not a saved conversation", fmt::format("\"format\": \"{}\"", kFormat),
             "something else");
    }
    if (!root.contains("version") || root["version"] != kVersion) {
      refuse("a version of the format that this program does not know",
             fmt::format("\"version\": {}", kVersion),
             root.contains("version") ? shortened(root["version"]) : "none");
    }
    if (!root.contains("messages") || !root["messages"].is_array()) {
      refuse("has no messages", "an array \"messages\"", "none");
    }
    return conversation(root["messages"]);
  }

 private:
  [[noreturn]] void refuse(std::string what, std::string expected, std::string got) const {
    throw Error(Error::Parts{.where = path_.string(),
                             .what = std::move(what),
                             .expected = std::move(expected),
                             .got = std::move(got)});
  }

  static std::string shortened(const Json& value) {
    std::string text = value.dump();
    if (text.size() > 40) text = text.substr(0, 40) + "...";
    return text;
  }

  std::string read() const {
    std::error_code error;
    const auto size = std::filesystem::file_size(path_, error);
    if (error) refuse("cannot read the file", "a saved conversation", error.message());
    if (size > kMostBytes) {
      refuse("too large for a conversation", fmt::format("at most {} bytes", kMostBytes),
             std::to_string(size));
    }
    std::ifstream file(path_, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) refuse("cannot read the file", "a saved conversation", std::strerror(errno));
    return text;
  }

  Json parse(const std::string& text) const {
    // Nothing of the format nests deeper, and printing what does would recurse as deeply.
    constexpr int kDeepest = 8;
    const auto shallow = [](int depth, Json::parse_event_t, Json&) {
      if (depth > kDeepest) throw Error("nested too deeply");
      return true;
    };
    try {
      return Json::parse(text, shallow);
    } catch (const Json::parse_error& error) {
      refuse("not JSON", "a saved conversation", fmt::format("an error at byte {}", error.byte));
    } catch (const Error& error) {
      refuse(error.what(), "a saved conversation", "other JSON");
    }
  }

  std::string text_of(const Json& message, const char* key, std::size_t index) const {
    const auto found = message.is_object() ? message.find(key) : message.end();
    if (found == message.end() || !found->is_string()) {
      refuse(fmt::format("message {} has no text \"{}\"", index, key), "a string",
             found == message.end() ? "none" : shortened(*found));
    }
    return found->get<std::string>();
  }

  Conversation conversation(const Json& messages) const {
    Conversation result;
    bool asked = false;  // the last turn waits for its answer
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const std::string role = text_of(messages[i], "role", i);
      std::string content = text_of(messages[i], "content", i);
      if (role == "system" && i == 0) {
        result.system = std::move(content);
      } else if (role == "user" && !asked) {
        result.turns.push_back({.user = std::move(content), .answer = {}});
        asked = true;
      } else if (role == "assistant" && asked) {
        result.turns.back().answer = std::move(content);
        if (messages[i].contains("finish")) {
          result.turns.back().finish = text_of(messages[i], "finish", i);
        }
        asked = false;
      } else {
        refuse(fmt::format("message {} is out of order", i),
               "an optional system message, then user and assistant in turn",
               "role " + shortened(role));
      }
    }
    if (asked) refuse("the last message has no answer", "an assistant message", "the end");
    return result;
  }

  std::filesystem::path path_;
};

Json message(std::string_view role, const std::string& content) {
  return Json{{"role", role}, {"content", content}};
}

}  // namespace

std::vector<PromptMessage> Conversation::messages(std::string_view question,
                                                  std::size_t first_turn) const {
  std::vector<PromptMessage> list;
  if (!system.empty()) list.push_back({"system", system});
  for (std::size_t i = first_turn; i < turns.size(); ++i) {
    list.push_back({"user", turns[i].user});
    list.push_back({"assistant", turns[i].answer});
  }
  list.push_back({"user", std::string(question)});
  return list;
}

void save_conversation(const Conversation& conversation, const std::filesystem::path& path) {
  Json messages = Json::array();
  if (!conversation.system.empty()) messages.push_back(message("system", conversation.system));
  for (const Turn& turn : conversation.turns) {
    messages.push_back(message("user", turn.user));
    messages.push_back(message("assistant", turn.answer));
    messages.back()["finish"] = turn.finish;
  }
  const Json root{{"format", kFormat}, {"version", kVersion}, {"messages", std::move(messages)}};
  const std::string text = root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  OutputFile file(path, text.size());
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

Conversation load_conversation(const std::filesystem::path& path) {
  return Loader(path).load();
}

}  // namespace hearth
