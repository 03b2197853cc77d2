"""What becomes of real data: format, photos, annotations, classes; or why it is refused. `@` is datumaro's folder.

Made by `asset_outcomes.py`, then read line by line.
"""

TABLE = r"""
bccd_voc | voc 364 4888 3
bccd_voc/BCCD | voc 364 4888 3
bccd_voc/BCCD/Annotations | voc 364 4888 3
cards | voc 67 143 6
cards/real_test | voc 67 143 6
cards/templates | imagefolder 24 24 6
clothing_small | imagefolder 640 640 10
clothing_small/test | imagefolder 120 120 10
clothing_small/train | imagefolder 400 400 10
clothing_small/validation | imagefolder 120 120 10
coco128_train | panoptic 100 1111 133
coco128_train/images | imagefolder 128 128 1
coco128_train/instance_segmentation | yolo refused: no photo was found.
coco128_train/object_detection | yolo refused: no photo was found.
coco128_train/panoptic_segmentation | panoptic 100 1111 133
coco128_train/panoptic_segmentation/annotations | panoptic 100 1111 133
coco128_train/semantic_segmentation/masks | imagefolder 100 100 1
coco_golden | coco 100 839 80
logos | imagefolder 483 483 1
ls_converter_tests | imagefolder 14 14 1
ls_converter_tests/tests/data | imagefolder 13 13 3
panopticapi_sample/sample_data | ambiguous: coco, panoptic
raccoon_voc | voc 200 217 1
raccoon_voc/annotations | voc 200 217 1
raccoon_voc/data | csv refused: one CSV with a path column was expected, found 3: raccoon_la
@ava_dataset/frames | imagefolder 4 4 2
@camvid_dataset | masks 4 10 8
@cityscapes_dataset | imagefolder 20 20 2
@cityscapes_dataset/dataset | cityscapes 4 9 6
@cityscapes_dataset/dataset/gtFine | cityscapes 4 9 6
@cityscapes_dataset/dataset/leftImg8bit | imagefolder 4 4 1
@cityscapes_dataset/train_dataset | cityscapes 4 10 6
@cityscapes_dataset/train_dataset/gtFine | cityscapes 4 10 6
@cityscapes_dataset/train_dataset/leftImg8bit | imagefolder 4 4 1
@coco_dataset | imagefolder 24 24 10
@coco_dataset/coco | ambiguous: coco, panoptic
@coco_dataset/coco/annotations | ambiguous: coco, panoptic
@coco_dataset/coco_captions | coco refused: annotations/captions_train.json: 1 of 1 annotations are capt
@coco_dataset/coco_captions/annotations | coco refused: captions_train.json: 1 of 1 annotations are captions, texts
@coco_dataset/coco_image_info | coco 2 0 0
@coco_dataset/coco_image_info/annotations | coco 2 0 0
@coco_dataset/coco_instances | coco 2 3 3
@coco_dataset/coco_instances/annotations | coco 2 3 3
@coco_dataset/coco_labels | coco 2 3 2
@coco_dataset/coco_labels/annotations | coco 2 3 2
@coco_dataset/coco_panoptic | panoptic refused: 1 bad records: 1 bad pictures.
@coco_dataset/coco_panoptic/annotations | panoptic refused: 1 bad records: 1 bad pictures.
@coco_dataset/coco_person_keypoints | coco 2 3 2
@coco_dataset/coco_person_keypoints/annotations | coco 2 3 2
@coco_dataset/coco_roboflow | coco 2 3 3
@coco_dataset/coco_roboflow/train | coco 1 1 3
@coco_dataset/coco_roboflow/val | coco 1 2 3
@coco_dataset/coco_stuff | coco 2 2 2
@coco_dataset/coco_stuff/annotations | coco 2 2 2
@coco_dataset/mmdet_coco | coco 2 3 3
@coco_dataset/mmdet_coco/annotations | coco 2 3 3
@common_semantic_segmentation_dataset | masks refused: 2 bad masks of 2: 2 masks without photo.
@common_semantic_segmentation_dataset/dataset | masks 2 4 6
@common_super_resolution_dataset | imagefolder 6 6 3
@cvat_dataset | nothing fits
@cvat_dataset/for_images | nothing fits
@cvat_dataset/for_images/export_project | cvat 6 12 2
@cvat_dataset/for_images/export_task | cvat 2 4 2
@cvat_dataset/for_video | cvat 3 3 3
@imagenet_dataset | imagefolder 3 3 2
@imagenet_dataset/label_1 | imagefolder 1 1 1
@imagenet_subsets_dataset | imagefolder 9 9 2
@imagenet_subsets_dataset/test | imagefolder 3 3 2
@imagenet_subsets_dataset/test/label_1 | imagefolder 1 1 1
@imagenet_subsets_dataset/train | imagefolder 3 3 2
@imagenet_subsets_dataset/train/label_1 | imagefolder 1 1 1
@imagenet_subsets_dataset/val | imagefolder 3 3 2
@imagenet_subsets_dataset/val/label_1 | imagefolder 1 1 1
@kaggle_dataset | ambiguous: voc, masks
@kaggle_dataset/image_mask | masks 2 4 2
@kaggle_dataset/image_mask_with_labelmap | masks 3 9 3
@kaggle_dataset/relaxed_coco | coco 2 2 2
@kaggle_dataset/relaxed_voc1 | voc 2 2 2
@kaggle_dataset/relaxed_voc1/annotations | voc 1 2 2
@kaggle_dataset/relaxed_voc2 | voc 2 2 2
@kitti_dataset | kitti 8 13 5
@kitti_dataset/kitti_3d | kitti 1 3 3
@kitti_dataset/kitti_3d/label_2 | kitti 1 3 3
@kitti_dataset/kitti_3d_with_subset | kitti 3 5 3
@kitti_dataset/kitti_3d_with_subset/label_2 | kitti 3 5 3
@kitti_dataset/kitti_detection | kitti 2 5 2
@kitti_dataset/kitti_detection/training | kitti 2 5 2
@kitti_dataset/kitti_raw/IMAGE_00 | imagefolder 3 3 1
@kitti_dataset/kitti_segmentation | imagefolder 4 4 2
@kitti_dataset/kitti_segmentation/training | imagefolder 4 4 2
@labelme_dataset/Images | imagefolder 1 1 1
@labelme_dataset/Masks | imagefolder 2 2 1
@labelme_dataset/Scribbles | imagefolder 2 2 1
@lfw_dataset/test/images | imagefolder 3 3 2
@mapillary_vistas_dataset/train | imagefolder 7 7 3
@mapillary_vistas_dataset/train/v1.2 | panoptic 1 5 3
@mapillary_vistas_dataset/train/v2.0 | panoptic 1 5 3
@mapillary_vistas_dataset/val | imagefolder 14 14 3
@mapillary_vistas_dataset/val/v1.2 | panoptic 2 5 3
@mapillary_vistas_dataset/val/v2.0 | panoptic 2 5 3
@mars_dataset/bbox_test | imagefolder 1 1 1
@mars_dataset/bbox_train | imagefolder 2 2 2
@mvtec_dataset/category_0/default | imagefolder 3 3 3
@mvtec_dataset/category_0/ground_truth | imagefolder 2 2 2
@open_images_dataset | imagefolder 7 7 2
@open_images_dataset/v6 | openimages 4 5 4
@open_images_dataset/v6/annotations | openimages 4 5 4
@roboflow_dataset | ambiguous: voc, tfrecord
@roboflow_dataset/coco | coco 3 4 2
@roboflow_dataset/coco/train | coco 2 2 2
@roboflow_dataset/coco/val | coco 1 2 2
@roboflow_dataset/tfrecord | tfrecord 3 4 2
@roboflow_dataset/tfrecord/train | tfrecord 2 2 2
@roboflow_dataset/tfrecord/val | tfrecord 1 2 2
@roboflow_dataset/voc | voc 3 4 2
@roboflow_dataset/voc/train | voc 2 2 2
@roboflow_dataset/voc/val | voc 1 2 2
@roboflow_dataset/yolo | yolo 2 2 2
@roboflow_dataset/yolo/train | yolo 2 2 2
@roboflow_dataset/yolo/val | yolo 1 2 2
@roboflow_dataset/yolo_obb | yolo refused: none of 2 photos has a label file.
@sly_pointcloud_dataset/ds0/related_images | imagefolder 2 2 2
@synthia_dataset | masks 10 27 14
@synthia_dataset/al | masks 2 5 5
@synthia_dataset/rand | masks 2 7 4
@synthia_dataset/rand_custom_labelmap | masks 2 5 5
@synthia_dataset/rand_meta_file | masks 2 5 5
@synthia_dataset/sf | masks 2 5 5
@tf_detection_api_dataset | tfrecord 3 4 10
@vgg_face2_dataset/test | imagefolder 1 1 1
@vgg_face2_dataset/train | imagefolder 3 3 2
@voc_dataset | ambiguous: voc, masks
@voc_dataset/voc_dataset1 | voc 2 2 2
@voc_dataset/voc_dataset1/Annotations | voc 1 2 2
@voc_dataset/voc_dataset2 | voc 5 4 22
@voc_dataset/voc_dataset2/Annotations | voc 5 4 4
@voc_dataset/voc_dataset3 | voc 1 1 1
@voc_dataset/voc_dataset3/Annotations | voc 1 1 1
@vott_csv_dataset | imagefolder 8 8 2
@vott_csv_dataset/dataset | csv refused: one CSV with a path column was expected, found 2: test-expor
@vott_csv_dataset/dataset_with_meta_file | csv 2 2 2
@widerface_dataset/WIDER_train/images | imagefolder 2 2 2
@widerface_dataset/WIDER_val/images | imagefolder 1 1 1
@yolo_dataset | imagefolder 4 4 3
@yolo_dataset/annotations | yolo refused: none of 1 photos has a label file.
@yolo_dataset/labels | yolo 2 4 10
@yolo_dataset/strict | yolo 1 2 10
bccd_voc/test.csv | csv refused: 364 bad rows of 4888: 364 missing photos.
coco128_train/instance_segmentation/config.yaml | yolo refused: no photo was found.
coco128_train/object_detection/config.yaml | yolo refused: no photo was found.
coco128_train/panoptic_segmentation/annotations/panoptic_train2017.json | panoptic 100 1111 133
coco_golden/instances_val2014_100.json | coco 100 839 80
coco_golden/instances_val2014_fakebbox100_results.json | coco 100 734 80
coco_golden/instances_val2014_fakesegm100_results.json | coco 100 734 80
@coco_dataset/coco/annotations/captions_train.json | coco refused: 1 of 1 annotations are captions, texts about whole photos.
@coco_dataset/coco/annotations/captions_val.json | coco refused: 2 of 2 annotations are captions, texts about whole photos.
@coco_dataset/coco/annotations/image_info_train.json | coco 1 0 0
@coco_dataset/coco/annotations/image_info_val.json | coco 1 0 0
@coco_dataset/coco/annotations/instances_train.json | coco 1 1 3
@coco_dataset/coco/annotations/instances_val.json | coco 1 2 3
@coco_dataset/coco/annotations/labels_train.json | coco 1 1 2
@coco_dataset/coco/annotations/labels_val.json | coco 1 2 2
@coco_dataset/coco/annotations/panoptic_train.json | panoptic 1 1 2
@coco_dataset/coco/annotations/panoptic_val.json | panoptic 1 2 2
@coco_dataset/coco/annotations/person_keypoints_train.json | coco 1 1 2
@coco_dataset/coco/annotations/person_keypoints_val.json | coco 1 2 2
@coco_dataset/coco/annotations/stuff_train.json | coco 1 1 2
@coco_dataset/coco/annotations/stuff_val.json | coco 1 1 2
@coco_dataset/coco_captions/annotations/captions_train.json | coco refused: 1 of 1 annotations are captions, texts about whole photos.
@coco_dataset/coco_captions/annotations/captions_val.json | coco refused: 2 of 2 annotations are captions, texts about whole photos.
@coco_dataset/coco_image_info/annotations/image_info_train.json | coco 1 0 0
@coco_dataset/coco_image_info/annotations/image_info_val.json | coco 1 0 0
@coco_dataset/coco_instances/annotations/instances_train.json | coco 1 1 3
@coco_dataset/coco_instances/annotations/instances_val.json | coco 1 2 3
@coco_dataset/coco_labels/annotations/labels_train.json | coco 1 1 2
@coco_dataset/coco_labels/annotations/labels_val.json | coco 1 2 2
@coco_dataset/coco_panoptic/annotations/panoptic_train.json | panoptic refused: 1 bad records: 1 bad pictures.
@coco_dataset/coco_panoptic/annotations/panoptic_val.json | panoptic 1 2 2
@coco_dataset/coco_person_keypoints/annotations/person_keypoints_train.json | coco 1 1 2
@coco_dataset/coco_person_keypoints/annotations/person_keypoints_val.json | coco 1 2 2
@coco_dataset/coco_roboflow/train/_annotations.coco.json | coco 1 1 3
@coco_dataset/coco_roboflow/val/_annotations.coco.json | coco 1 2 3
@coco_dataset/coco_stuff/annotations/stuff_train.json | coco 1 1 2
@coco_dataset/coco_stuff/annotations/stuff_val.json | coco 1 1 2
@coco_dataset/mmdet_coco/annotations/instances_train.json | coco 1 1 3
@coco_dataset/mmdet_coco/annotations/instances_val.json | coco 1 2 3
@cvat_dataset/for_images/export_project/annotations.xml | cvat 6 12 2
@cvat_dataset/for_images/export_task/train.xml | cvat 2 4 2
@cvat_dataset/for_video/annotations.xml | cvat 3 3 3
@kaggle_dataset/relaxed_coco/annotations.json | coco 2 2 2
@kaggle_dataset/relaxed_voc1/annotations/2007_000001.xml | voc 1 2 2
@kaggle_dataset/relaxed_voc2/2007_000001.xml | voc 2 2 2
@mapillary_vistas_dataset/train/v1.2/panoptic/panoptic_2018.json | panoptic 1 5 3
@mapillary_vistas_dataset/train/v2.0/panoptic/panoptic_2020.json | panoptic 1 5 3
@mapillary_vistas_dataset/val/v1.2/panoptic/panoptic_2018.json | panoptic 2 5 3
@mapillary_vistas_dataset/val/v2.0/panoptic/panoptic_2020.json | panoptic 2 5 3
@open_images_dataset/v6/annotations/oidv6-train-annotations-bbox.csv | openimages 4 1 4
@open_images_dataset/v6/annotations/oidv6-train-annotations-human-imagelabels.csv | openimages 4 1 4
@open_images_dataset/v6/annotations/test-annotations-bbox.csv | openimages 4 1 4
@open_images_dataset/v6/annotations/test-annotations-human-imagelabels.csv | openimages 4 2 4
@roboflow_dataset/coco/train/_annotations.coco.json | coco 2 2 2
@roboflow_dataset/coco/val/_annotations.coco.json | coco 1 2 2
@roboflow_dataset/tfrecord/train/train.tfrecord | tfrecord 2 2 2
@roboflow_dataset/tfrecord/val/val.tfrecord | tfrecord 1 2 2
@roboflow_dataset/voc/train/train_001.xml | voc 2 1 1
@roboflow_dataset/voc/train/train_002.xml | voc 2 1 1
@roboflow_dataset/voc/val/val_001.xml | voc 1 2 2
@roboflow_dataset/yolo/data.yaml | yolo 2 2 2
@roboflow_dataset/yolo_obb/data.yaml | yolo refused: none of 2 photos has a label file.
@tf_detection_api_dataset/test.tfrecord | tfrecord 1 0 10
@tf_detection_api_dataset/train.tfrecord | tfrecord 1 3 10
@tf_detection_api_dataset/val.tfrecord | tfrecord 1 1 10
@voc_dataset/voc_dataset1/Annotations/2007_000001.xml | voc 1 2 2
@voc_dataset/voc_dataset2/Annotations/a.xml | voc 1 1 1
@voc_dataset/voc_dataset2/Annotations/b.xml | voc 1 1 1
@voc_dataset/voc_dataset2/Annotations/c.xml | voc 1 1 1
@voc_dataset/voc_dataset2/Annotations/d.xml | voc 1 1 1
@voc_dataset/voc_dataset3/Annotations/2007_000001.xml | voc 1 1 1
@vott_csv_dataset/dataset/test-export.csv | csv 2 2 2
@vott_csv_dataset/dataset/train-export.csv | csv 2 3 2
@vott_csv_dataset/dataset_with_meta_file/test-export.csv | csv 2 2 2
@yolo_dataset/strict/obj.data | yolo 1 2 10
ls_converter_tests/tests/data/test_export_csv/csv_test.json | labelstudio 2 3 1
ls_converter_tests/tests/data/test_export_csv/csv_test2.json | labelstudio refused: 1 bad records of 1 tasks: 1 bad tasks.
ls_converter_tests/tests/data/test_export_csv/csv_test_history.json | labelstudio refused: 1 bad records of 1 tasks: 1 bad tasks.
ls_converter_tests/tests/data/test_export_json_min/data.json | labelstudio 1 1 2
ls_converter_tests/tests/data/test_export_json_min/data_repeater.json | labelstudio refused: 1 bad records of 1 tasks: 1 bad tasks.
ls_converter_tests/tests/data/test_export_yolo/data.json | labelstudio 2 6 2
ls_converter_tests/tests/data/test_export_yolo/data_obb.json | labelstudio 3 25 2
ls_converter_tests/tests/data/test_export_yolo/data_polygons.json | labelstudio 1 1 1
panopticapi_sample/sample_data/images_info_examples.json | panoptic 2 50 133
panopticapi_sample/sample_data/panoptic_coco_detection_format.json | coco 2 50 133
panopticapi_sample/sample_data/panoptic_examples.json | panoptic 2 50 133
raccoon_voc/data/raccoon_labels.csv | csv refused: 200 bad rows of 217: 200 missing photos.
raccoon_voc/data/test_labels.csv | csv refused: 40 bad rows of 44: 40 missing photos.
raccoon_voc/data/train_labels.csv | csv refused: 160 bad rows of 173: 160 missing photos.
"""  # noqa: E501
