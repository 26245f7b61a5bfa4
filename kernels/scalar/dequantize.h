// Dequantisers of the scalar level, one per quant type, in dequantize_<family>.cpp:
// float (F32, F16, BF16), plain (one scale per 32 elements), k (super-blocks of 256), codebook.
// All have the contract of DequantizeRow (kernels/kernel_table.h).
#pragma once

#include <cstddef>

namespace hearth::kernels::scalar {

void dequantize_row_f32(const void* row, float* out, std::size_t n);
void dequantize_row_f16(const void* row, float* out, std::size_t n);
void dequantize_row_bf16(const void* row, float* out, std::size_t n);

void dequantize_row_q4_0(const void* row, float* out, std::size_t n);
void dequantize_row_q4_1(const void* row, float* out, std::size_t n);
void dequantize_row_q5_0(const void* row, float* out, std::size_t n);
void dequantize_row_q5_1(const void* row, float* out, std::size_t n);
void dequantize_row_q8_0(const void* row, float* out, std::size_t n);

void dequantize_row_q2_k(const void* row, float* out, std::size_t n);
void dequantize_row_q3_k(const void* row, float* out, std::size_t n);
void dequantize_row_q4_k(const void* row, float* out, std::size_t n);
void dequantize_row_q5_k(const void* row, float* out, std::size_t n);
void dequantize_row_q6_k(const void* row, float* out, std::size_t n);

void dequantize_row_iq4_nl(const void* row, float* out, std::size_t n);
void dequantize_row_iq4_xs(const void* row, float* out, std::size_t n);
void dequantize_row_mxfp4(const void* row, float* out, std::size_t n);

}  // namespace hearth::kernels::scalar
