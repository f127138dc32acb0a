/** Where the networks were published. */
export interface Paper {
  readonly title: string;
  readonly authors: string;
  readonly year: number;
  readonly url: string;
}

export const papers = {
  alexnet: {
    title: "ImageNet Classification with Deep Convolutional Neural Networks",
    authors: "Krizhevsky, Sutskever, Hinton",
    year: 2012,
    url: "https://papers.nips.cc/paper/4824",
  },
  nin: {
    title: "Network In Network",
    authors: "Lin, Chen, Yan",
    year: 2013,
    url: "https://arxiv.org/abs/1312.4400",
  },
  one_weird_trick: {
    title: "One weird trick for parallelizing convolutional neural networks",
    authors: "Krizhevsky",
    year: 2014,
    url: "https://arxiv.org/abs/1404.5997",
  },
  vgg: {
    title: "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    authors: "Simonyan, Zisserman",
    year: 2014,
    url: "https://arxiv.org/abs/1409.1556",
  },
  googlenet: {
    title: "Going Deeper with Convolutions",
    authors: "Szegedy et al.",
    year: 2014,
    url: "https://arxiv.org/abs/1409.4842",
  },
  yolov1: {
    title: "You Only Look Once: Unified, Real-Time Object Detection",
    authors: "Redmon, Divvala, Girshick, Farhadi",
    year: 2015,
    url: "https://arxiv.org/abs/1506.02640",
  },
  inception_v3: {
    title: "Rethinking the Inception Architecture for Computer Vision",
    authors: "Szegedy et al.",
    year: 2015,
    url: "https://arxiv.org/abs/1512.00567",
  },
  resnet: {
    title: "Deep Residual Learning for Image Recognition",
    authors: "He, Zhang, Ren, Sun",
    year: 2015,
    url: "https://arxiv.org/abs/1512.03385",
  },
  squeezenet: {
    title: "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    authors: "Iandola et al.",
    year: 2016,
    url: "https://arxiv.org/abs/1602.07360",
  },
  wide_resnet: {
    title: "Wide Residual Networks",
    authors: "Zagoruyko, Komodakis",
    year: 2016,
    url: "https://arxiv.org/abs/1605.07146",
  },
  densenet: {
    title: "Densely Connected Convolutional Networks",
    authors: "Huang, Liu, van der Maaten, Weinberger",
    year: 2016,
    url: "https://arxiv.org/abs/1608.06993",
  },
  resnext: {
    title: "Aggregated Residual Transformations for Deep Neural Networks",
    authors: "Xie, Girshick, Dollár, Tu, He",
    year: 2016,
    url: "https://arxiv.org/abs/1611.05431",
  },
  mobilenet_v2: {
    title: "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
    authors: "Sandler et al.",
    year: 2018,
    url: "https://arxiv.org/abs/1801.04381",
  },
  yolov3: {
    title: "YOLOv3: An Incremental Improvement",
    authors: "Redmon, Farhadi",
    year: 2018,
    url: "https://arxiv.org/abs/1804.02767",
  },
  mlperf_tiny: {
    title: "MLPerf Tiny Benchmark",
    authors: "Banbury et al.",
    year: 2021,
    url: "https://arxiv.org/abs/2106.07597",
  },
} as const satisfies Record<string, Paper>;
