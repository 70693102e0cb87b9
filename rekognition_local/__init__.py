"""Amazon Rekognition's wire protocol on this machine, answered by vision/: boto3 uses it unchanged through endpoint_url.

    server       the whole, for as long as it runs      operations   the table of what is answered, on all cores
    wire         HTTP: connections, headers, bodies     faces        DetectFaces, CompareFaces
    access       who may call: loopback, or SigV4       collections  collections, their faces, searches
    service      a request's parts -> a reply           users        several faces of one person
    protocol     AWS JSON 1.1 and its errors            labels       DetectLabels, by taxonomy's names
    rehearsal    quotas, slowness, errors on demand     images       bytes or S3 object -> RGB
    paging       long lists in pages                    shapes       vision's faces -> Rekognition's members
    store        what is kept, in a database            quality      which faces are good enough to be compared
    gallery      its vectors in memory, searched

Nothing here speaks to AWS. How Amazon's service answers is taken from botocore's service model and AWS's pages.
"""
