/** An agent's answer in the run log. */
import { readAnswer } from '../answer.ts';

/** A message as the log shows it: of an answer, which is JSON, its title, summary and question. */
export function describeAnswer(text: string): string {
  const reading = readAnswer(text);
  if (!('answer' in reading)) return text;
  const { title, summary, question } = reading.answer;
  const options = question?.options.map((option, index) => `${index + 1}. ${option}`) ?? [];
  return [title, summary, ...(question ? [`Question: ${question.text}`, options.join('\n')] : [])]
    .filter((part) => part !== '')
    .join('\n\n');
}
