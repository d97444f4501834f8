import type { BackstageCredentials } from '@backstage/backend-plugin-api';
import type { Request, Response } from 'express';
import type { AnswerOf, BodyOf, QueryOf } from './operations';
import type { OperationId } from './routes';

/** A request that was let in and read */
export interface Asked<Id extends OperationId> {
  request: Request;
  response: Response;
  credentials: BackstageCredentials;
  query: QueryOf<Id>;
  body: BodyOf<Id>;
}

/** Answers requests; `undefined` where the answer was written already */
export type Handlers = {
  [Id in OperationId]: (asked: Asked<Id>) => Promise<AnswerOf<Id> | undefined>;
};
