// How a level's instructions multiply quads (four bytes of every row) with columns of a strip.
#pragma once

namespace hearth::kernels {
namespace {

enum class Products {
  of_one_column,  // S::dot and S::signed_dot
  of_columns,     // several by S::dot_columns, which takes signed bytes too
  of_pairs        // and two rows with two columns, eight elements at once, by S::multiply_pair
};

}  // namespace
}  // namespace hearth::kernels
