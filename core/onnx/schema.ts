/**
 * The part of ONNX's protocol buffers that Strata writes and reads, from
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. What a file has besides is passed over.
 */
import protobuf from "protobufjs/light.js";

type Field = readonly [id: number, type: string];

const one = (id: number, type: string): Field => [id, type];
const many = (id: number, type: string): Field => [id, `repeated ${type}`];

const MESSAGES: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  ModelProto: {
    irVersion: one(1, "int64"),
    producerName: one(2, "string"),
    docString: one(6, "string"),
    graph: one(7, "GraphProto"),
    opsetImport: many(8, "OperatorSetIdProto"),
    metadataProps: many(14, "StringStringEntryProto"),
  },
  OperatorSetIdProto: { domain: one(1, "string"), version: one(2, "int64") },
  StringStringEntryProto: { key: one(1, "string"), value: one(2, "string") },
  GraphProto: {
    node: many(1, "NodeProto"),
    name: one(2, "string"),
    initializer: many(5, "TensorProto"),
    input: many(11, "ValueInfoProto"),
    output: many(12, "ValueInfoProto"),
  },
  NodeProto: {
    input: many(1, "string"),
    output: many(2, "string"),
    name: one(3, "string"),
    opType: one(4, "string"),
    attribute: many(5, "AttributeProto"),
  },
  AttributeProto: {
    name: one(1, "string"),
    f: one(2, "float"),
    i: one(3, "int64"),
    t: one(5, "TensorProto"),
    ints: many(8, "int64"),
    type: one(20, "int32"),
  },
  TensorProto: {
    dims: many(1, "int64"),
    dataType: one(2, "int32"),
    floatData: many(4, "float"),
    int32Data: many(5, "int32"),
    int64Data: many(7, "int64"),
    name: one(8, "string"),
    rawData: one(9, "bytes"),
    doubleData: many(10, "double"),
    dataLocation: one(14, "int32"),
  },
  ValueInfoProto: { name: one(1, "string"), type: one(2, "TypeProto") },
  TypeProto: { tensorType: one(1, "TensorType") },
  TensorType: { elemType: one(1, "int32"), shape: one(2, "TensorShapeProto") },
  TensorShapeProto: { dim: many(1, "Dimension") },
  Dimension: { dimValue: one(1, "int64"), dimParam: one(2, "string") },
};

/** 64-bit numbers are plain ones when written, and `Number(…)` makes them so when read. */
type Int64 = number | { toNumber(): number };

export interface ModelProto {
  irVersion: Int64;
  producerName?: string;
  docString?: string;
  graph?: GraphProto;
  opsetImport?: { domain: string; version: Int64 }[];
  metadataProps?: { key: string; value: string }[];
}

export interface GraphProto {
  node: NodeProto[];
  name: string;
  initializer: TensorProto[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
}

export interface NodeProto {
  input: string[];
  output: string[];
  name: string;
  opType: string;
  attribute: AttributeProto[];
}

export interface AttributeProto {
  name: string;
  f?: number;
  i?: Int64;
  t?: TensorProto;
  ints?: Int64[];
  type: number;
}

export interface TensorProto {
  dims: Int64[];
  dataType: number;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: Int64[];
  name?: string;
  rawData?: Uint8Array;
  doubleData?: number[];
  dataLocation?: number;
}

export interface ValueInfoProto {
  name: string;
  type: { tensorType: { elemType: number; shape: { dim: { dimValue?: Int64; dimParam?: string }[] } } };
}

/** Kinds of attributes. */
export const attributeTypes = { FLOAT: 1, INT: 2, TENSOR: 4, INTS: 7 } as const;

/** Types of elements that ONNX numbers. */
export const elementTypes = {
  F32: 1,
  U8: 2,
  I8: 3,
  U16: 4,
  I16: 5,
  I32: 6,
  I64: 7,
  BOOL: 9,
  F16: 10,
  F64: 11,
  BF16: 16,
} as const;

const messages = Object.entries(MESSAGES).map(([name, fields]) => {
  const entries = Object.entries(fields).map(([field, [id, type]]) => {
    const repeated = type.startsWith("repeated ");
    const rule = repeated ? { rule: "repeated" } : {};
    return [field, { id, type: repeated ? type.slice("repeated ".length) : type, ...rule }] as const;
  });
  return [name, { fields: Object.fromEntries(entries) }] as const;
});
const Model = protobuf.Root.fromJSON({ nested: Object.fromEntries(messages) }).lookupType("ModelProto");

export function encodeModel(model: ModelProto): Uint8Array {
  // In Node and Deno it is a Buffer, whose `slice` is another one.
  const { buffer, byteOffset, byteLength } = Model.encode(model).finish();
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Bytes in the result are views of `bytes`. Throws where they are no protocol buffer of this kind. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return Model.decode(bytes) as unknown as ModelProto;
}
