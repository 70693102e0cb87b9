"""Amazon Rekognition's wire protocol on this machine, answered by vision/: boto3 uses it unchanged through endpoint_url.

    server      HTTP and threads             service     a request's parts -> a reply
    protocol    AWS JSON 1.1 and its errors  operations  what is answered: DetectFaces so far
    images      bytes or S3 object -> RGB    shapes      vision's faces -> Rekognition's members
    rehearsal   quotas, slowness and errors on demand, for tests

Nothing here speaks to AWS. How Amazon's service answers is taken from botocore's service model and AWS's pages.
"""
