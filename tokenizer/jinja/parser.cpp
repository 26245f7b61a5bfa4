#include "tokenizer/jinja/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "tokenizer/jinja/parser_expressions.h"

namespace hearth::jinja {
namespace {

constexpr std::string_view kConstantNames[] = {"true", "false", "none", "True", "False", "None"};

class Parser : private ExpressionParser {
 public:
  Parser(Program& program, std::vector<Token> tokens)
      : ExpressionParser(program, std::move(tokens)) {
    program.loop = intern("loop");
    program.caller = intern("caller");
    program.varargs = intern("varargs");
    program.kwargs = intern("kwargs");
  }

  void run() {
    frames_.open();
    program_.block.body = body({});
    frames_.close(&program_.block);
    frames_.resolve();
    for (const Unknown& name : unknown_) {
      if (!name.in_branch) fail(name.position, name.message);
    }
  }

 private:
  using Parse = std::unique_ptr<Statement> (Parser::*)(Position);
  struct Tag {
    std::string_view name;
    Parse parse;
  };
  static const Tag kTags[];

  /// Statements up to a tag named in `ends`, whose name is left as the current token; with no
  /// `ends`, up to the end of the template.
  Body body(std::initializer_list<std::string_view> ends) {
    const Nested nested(*this);
    Body statements;
    for (;;) {
      switch (current().type) {
        case TokenType::data: {
          const Token token = take();
          statements.push_back(std::make_unique<Text>(token.position, token.text));
          break;
        }
        case TokenType::variable_begin:
          statements.push_back(print());
          break;
        case TokenType::block_begin:
          take();
          if (current().type == TokenType::name &&
              std::find(ends.begin(), ends.end(), current().text) != ends.end()) {
            return statements;
          }
          if (auto next = statement(ends)) statements.push_back(std::move(next));
          break;
        default:
          if (ends.size() == 0) return statements;
          fail_here(fmt::format("'{{% {} %}}'", *(ends.end() - 1)));
      }
    }
  }

  void end_tag() { expect(TokenType::block_end, "the end of the tag"); }

  /// The rest of the tag, the body, and the tag `end` with its closing.
  Body block_body(std::string_view end) {
    end_tag();
    Body statements = body({end});
    take();
    end_tag();
    return statements;
  }

  std::unique_ptr<Statement> print() {
    const Position position = take().position;
    auto node = std::make_unique<Print>(position);
    node->values.push_back(tuple(true));
    expect(TokenType::variable_end, "the end of the expression");
    return node;
  }

  std::unique_ptr<Statement> statement(std::initializer_list<std::string_view> ends);

  // In the order of kTags.
  std::unique_ptr<Statement> parse_if(Position position);
  std::unique_ptr<Statement> parse_for(Position position);
  std::unique_ptr<Statement> parse_set(Position position);
  std::unique_ptr<Statement> parse_macro(Position position);
  std::unique_ptr<Statement> parse_call(Position position);
  std::unique_ptr<Statement> parse_filter(Position position);
  std::unique_ptr<Statement> parse_with(Position position);
  std::unique_ptr<Statement> parse_print(Position position);
  std::unique_ptr<Statement> parse_block(Position position);
  std::unique_ptr<Statement> parse_generation(Position position);
  std::unique_ptr<Statement> parse_break(Position position);
  std::unique_ptr<Statement> parse_continue(Position position);
  std::unique_ptr<Statement> parse_autoescape(Position position);

  Target target(bool with_namespace);
  Target single_target(bool with_namespace);
  void signature(Routine& routine);
  std::unique_ptr<Statement> jump(Position position, std::string_view word, Flow flow);

  /// A block with variables of its own: branches around it do not count in it, nor do loops if
  /// break and continue cannot leave it.
  template <typename Parse>
  void own_block(Block& block, bool leaves_loops, Parse parse) {
    const bool branch = std::exchange(in_branch_, false);
    const int loops = leaves_loops ? loops_ : std::exchange(loops_, 0);
    frames_.open();
    parse();
    frames_.close(&block);
    in_branch_ = branch;
    loops_ = loops;
  }

  /// Tells the frame what `target` assigns to.
  void note_stores(const Target& target);
  void note_parameters(const Target& target);

  std::vector<std::string_view> blocks_;  // names of the template's {% block %}s
};

const Parser::Tag Parser::kTags[] = {
    {"if", &Parser::parse_if},
    {"for", &Parser::parse_for},
    {"set", &Parser::parse_set},
    {"macro", &Parser::parse_macro},
    {"call", &Parser::parse_call},
    {"filter", &Parser::parse_filter},
    {"with", &Parser::parse_with},
    {"print", &Parser::parse_print},
    {"block", &Parser::parse_block},
    {"generation", &Parser::parse_generation},
    {"break", &Parser::parse_break},
    {"continue", &Parser::parse_continue},
    {"autoescape", &Parser::parse_autoescape},
};

std::unique_ptr<Statement> Parser::statement(std::initializer_list<std::string_view> ends) {
  const Token tag = current();
  if (tag.type != TokenType::name) fail_here("the name of a tag");
  for (const Tag& row : kTags) {
    if (row.name != tag.text) continue;
    take();
    return (this->*row.parse)(tag.position);
  }
  for (const std::string_view other : {"include", "import", "from", "extends"}) {
    if (tag.text == other) {
      fail(tag.position, fmt::format("'{{% {} %}}' is not possible: a chat template is one file of "
                                     "its own",
                                     other));
    }
  }
  std::string known;
  for (const Tag& row : kTags) known += (known.empty() ? "" : ", ") + std::string(row.name);
  const std::string open =
      ends.size() == 0 ? "" : fmt::format(" (the open block ends with '{}')", *(ends.end() - 1));
  fail(tag.position, fmt::format("unknown tag '{}'{}; known tags: {}", tag.text, open, known));
}

std::unique_ptr<Statement> Parser::parse_if(Position position) {
  auto node = std::make_unique<If>(position);
  const bool outer = std::exchange(in_branch_, true);
  frames_.enter_branch();
  std::string_view next = "elif";
  while (next == "elif") {
    If::Branch branch;
    branch.test = tuple(false);
    end_tag();
    branch.body = body({"elif", "else", "endif"});
    node->branches.push_back(std::move(branch));
    next = take().text;
  }
  if (next == "else") {
    end_tag();
    node->branches.push_back({nullptr, body({"endif"})});
    take();
  }
  end_tag();
  frames_.leave_branch();
  in_branch_ = outer;
  return node;
}

std::unique_ptr<Statement> Parser::parse_for(Position position) {
  auto node = std::make_unique<For>(position);
  const Position target_position = current().position;
  node->target = target(false);
  const auto names_loop = [&](const Target& t) { return !t.is_tuple && t.name == program_.loop; };
  if (names_loop(node->target) ||
      std::any_of(node->target.items.begin(), node->target.items.end(), names_loop)) {
    fail(target_position, "'loop' is the loop's own variable and cannot be its target");
  }
  expect_name("in");
  node->items = tuple(false);
  frames_.open();
  note_parameters(node->target);
  if (skip_name("if")) node->filter = expression();
  frames_.close(nullptr);
  node->recursive = skip_name("recursive");
  own_block(node->body, true, [&] {
    note_parameters(node->target);
    end_tag();
    ++loops_;
    node->body.body = body({"else", "endfor"});
    --loops_;
  });
  if (take().text == "else") {
    own_block(node->otherwise, true, [&] {
      end_tag();
      node->otherwise.body = body({"endfor"});
    });
    take();
  }
  end_tag();
  return node;
}

void Parser::note_stores(const Target& target) {
  for (const Target& item : target.items) note_stores(item);
  if (target.is_tuple) return;
  if (target.attribute.empty()) {
    frames_.store(target.name);
  } else {
    frames_.load(target.name);
  }
}

void Parser::note_parameters(const Target& target) {
  for (const Target& item : target.items) note_parameters(item);
  if (!target.is_tuple) frames_.parameter(target.name);
}

Target Parser::single_target(bool with_namespace) {
  Target result;
  result.position = current().position;
  if (skip_op("(")) {
    result = target(with_namespace);
    expect_op(")");
    return result;
  }
  const std::string_view name = take_name("a name to assign to");
  if (std::find(std::begin(kConstantNames), std::end(kConstantNames), name) !=
      std::end(kConstantNames)) {
    fail(result.position, fmt::format("cannot assign to '{}'", name));
  }
  result.name = intern(name);
  if (with_namespace && skip_op(".")) result.attribute = take_name("the name of an attribute");
  return result;
}

Target Parser::target(bool with_namespace) {
  const Nested nested(*this);
  Target first = single_target(with_namespace);
  if (!is_op(",")) return first;
  Target several;
  several.position = first.position;
  several.is_tuple = true;
  several.items.push_back(std::move(first));
  while (skip_op(",")) {
    if (current().type != TokenType::name && !is_op("(")) break;
    several.items.push_back(single_target(with_namespace));
  }
  return several;
}

std::unique_ptr<Statement> Parser::parse_set(Position position) {
  Target to = target(true);
  if (skip_op("=")) {
    auto node = std::make_unique<Set>(position);
    node->target = std::move(to);
    node->value = tuple(true);
    note_stores(node->target);
    end_tag();
    return node;
  }
  auto node = std::make_unique<SetBlock>(position);
  node->target = std::move(to);
  node->filters = filter_chain(false);
  own_block(node->block, false, [&] { node->block.body = block_body("endset"); });
  note_stores(node->target);
  return node;
}

void Parser::signature(Routine& routine) {
  expect_op("(");
  while (!is_op(")")) {
    if (!routine.parameters.empty()) expect_op(",");
    if (is_op(")")) break;
    const Position position = current().position;
    const Target parameter = single_target(false);
    if (parameter.is_tuple) fail(position, "a parameter is a name");
    Routine::Parameter& added = routine.parameters.emplace_back();
    added.name = program_.names[parameter.name];
    added.id = parameter.name;
    frames_.parameter(added.id);
    if (skip_op("=")) {
      added.fallback = expression();
    } else if (added.id == program_.caller) {
      fail(position,
           "the parameter 'caller' needs a default: a macro may be called without a body");
    } else if (routine.parameters.size() > 1 &&
               routine.parameters[routine.parameters.size() - 2].fallback) {
      fail(position, "a parameter without a default after one with a default");
    }
  }
  take();
  const auto& all = routine.parameters;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (all[i].id == all[j].id) {
        fail(current().position, fmt::format("parameter '{}' stands twice", all[i].name));
      }
    }
  }
}

std::unique_ptr<Statement> Parser::parse_macro(Position position) {
  auto node = std::make_unique<Macro>(position);
  const Target name = single_target(false);
  if (name.is_tuple) fail(name.position, "a macro has one name");
  node->name = name.name;
  node->routine.name = program_.names[name.name];
  note_stores(name);
  own_block(node->routine.block, false, [&] {
    routines_.push_back(&node->routine);
    signature(node->routine);
    node->routine.block.body = block_body("endmacro");
    routines_.pop_back();
  });
  return node;
}

std::unique_ptr<Statement> Parser::parse_call(Position position) {
  auto node = std::make_unique<CallBlock>(position);
  node->caller.name = "caller";
  frames_.open();
  if (is_op("(")) signature(node->caller);
  frames_.close(nullptr);
  const Position where = current().position;
  ExpressionPtr called = expression();
  auto* call = dynamic_cast<Call*>(called.get());
  if (call == nullptr) fail(where, "a call block needs a call, like '{% call macro() %}'");
  static_cast<void>(called.release());
  node->call.reset(call);
  own_block(node->caller.block, false, [&] {
    for (const auto& parameter : node->caller.parameters) frames_.parameter(parameter.id);
    routines_.push_back(&node->caller);
    node->caller.block.body = block_body("endcall");
    routines_.pop_back();
  });
  return node;
}

std::unique_ptr<Statement> Parser::parse_filter(Position position) {
  auto node = std::make_unique<FilterBlock>(position);
  own_block(node->block, false, [&] {
    node->filters = filter_chain(true);
    node->block.body = block_body("endfilter");
  });
  return node;
}

std::unique_ptr<Statement> Parser::parse_with(Position position) {
  auto node = std::make_unique<With>(position);
  while (current().type != TokenType::block_end) {
    if (!node->assignments.empty()) expect_op(",");
    Target to = target(false);
    expect_op("=");
    node->assignments.emplace_back(std::move(to), expression());
  }
  own_block(node->block, true, [&] {
    for (const auto& assignment : node->assignments) note_parameters(assignment.first);
    node->block.body = block_body("endwith");
  });
  return node;
}

std::unique_ptr<Statement> Parser::parse_print(Position position) {
  auto node = std::make_unique<Print>(position);
  while (current().type != TokenType::block_end) {
    if (!node->values.empty()) expect_op(",");
    node->values.push_back(expression());
  }
  end_tag();
  return node;
}

std::unique_ptr<Statement> Parser::parse_block(Position position) {
  auto node = std::make_unique<Scoped>(position);
  node->sees_locals = false;
  const std::string_view name = take_name("the name of the block");
  if (std::find(blocks_.begin(), blocks_.end(), name) != blocks_.end()) {
    fail(position, fmt::format("block '{}' is defined twice", name));
  }
  blocks_.push_back(name);
  if (skip_name("scoped")) node->sees_locals = true;
  own_block(node->block, false, [&] {
    end_tag();
    node->block.body = body({"endblock"});
    take();
    skip_name(name);
  });
  end_tag();
  return node;
}

std::unique_ptr<Statement> Parser::parse_generation(Position position) {
  auto node = std::make_unique<Scoped>(position);
  own_block(node->block, false, [&] { node->block.body = block_body("endgeneration"); });
  return node;
}

std::unique_ptr<Statement> Parser::parse_autoescape(Position position) {
  const Token value = current();
  if (!skip_name("false")) {
    fail(value.position, "automatic escaping is not supported: a chat template makes plain text");
  }
  auto node = std::make_unique<Scoped>(position);
  own_block(node->block, true, [&] { node->block.body = block_body("endautoescape"); });
  return node;
}

std::unique_ptr<Statement> Parser::jump(Position position, std::string_view word, Flow flow) {
  if (loops_ == 0) fail(position, fmt::format("'{}' outside a loop", word));
  end_tag();
  return std::make_unique<Jump>(position, flow);
}

std::unique_ptr<Statement> Parser::parse_break(Position position) {
  return jump(position, "break", Flow::break_loop);
}

std::unique_ptr<Statement> Parser::parse_continue(Position position) {
  return jump(position, "continue", Flow::continue_loop);
}

}  // namespace

std::unique_ptr<const Program> parse(std::string_view source, std::string name) {
  auto program = std::make_unique<Program>();
  program->name = std::move(name);
  program->source = normalize(source);
  const std::size_t bad = utf8::first_malformed(program->source);
  if (bad < program->source.size()) {
    fail_at(
        program->name,
        {1 + static_cast<int>(std::count(program->source.begin(),
                                         program->source.begin() + static_cast<long>(bad), '\n')),
         1},
        "this line is not UTF-8");
  }
  Parser(*program, tokenize(program->source, program->name, program->strings)).run();
  return program;
}

}  // namespace hearth::jinja
