// A document as a list of blocks: what chunks are cut from. Markdown, HTML and plain text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::retrieval {

enum class Format : std::uint8_t { text, markdown, html };

struct Block {
  enum class Kind : std::uint8_t { heading, paragraph, table, code };

  Kind kind = Kind::paragraph;
  int level = 0;     // of a heading, 1 to 6
  std::string text;  // without the marks of a heading; a heading without text ends a section
  int line = 1;      // where it begins
};

/// By the ending of a file's name; text for those that are not known.
Format format_of(std::string_view file_name);

/// Whether a folder's file with this name is a document: .md, .markdown, .txt, .html …
bool is_document(std::string_view file_name);

/// `text` is UTF-8. Never fails: what has no structure is paragraphs.
std::vector<Block> parse_document(std::string_view text, Format format);

/// The parts of it.
std::vector<Block> parse_markdown(std::string_view text);
std::vector<Block> parse_html(std::string_view text, int first_line = 1);
std::vector<Block> parse_plain(std::string_view text);

/// `text` with what "&amp;" and its like stand for.
std::string without_entities(std::string_view text);

/// Whether a line begins with a tag that stands by itself on a page, as "<details>" and "</p>" do.
bool begins_html_block(std::string_view line);

}  // namespace hearth::retrieval
