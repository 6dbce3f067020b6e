"""Makes calls to the emulated AWS account, by AWS's own Python client, pages of an answer joined.

Reads {"endpoint", "region", "accessKeyId", "secretAccessKey", "calls": [[service, operation, arguments], …]} as
JSON from standard input, operations in Python's spelling ("describe_vpcs"). Prints the answers as a JSON list.
"""

import json
import sys

import boto3
from botocore.config import Config


def main():
    wish = json.load(sys.stdin)
    session = boto3.Session(wish["accessKeyId"], wish["secretAccessKey"], region_name=wish["region"])
    clients = {}
    answers = []
    for service, operation, arguments in wish["calls"]:
        if service not in clients:
            clients[service] = session.client(
                service, endpoint_url=wish["endpoint"], config=Config(retries={"max_attempts": 2}, read_timeout=60)
            )
        client = clients[service]
        if client.can_paginate(operation):
            answer = client.get_paginator(operation).paginate(**arguments).build_full_result()
        else:
            answer = getattr(client, operation)(**arguments)
            answer.pop("ResponseMetadata", None)
        answers.append(answer)
    print(json.dumps(answers, default=str))


if __name__ == "__main__":
    main()
